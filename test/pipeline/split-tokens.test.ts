import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../src/contract/splitter.ts';
import { type Cutting, counterOf, cutText } from '../../src/pipeline/cut.ts';
import { TOKENIZERS, tokenizerFolder } from '../support/tokenizers.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const dir = tokenizerFolder();
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

const by = (name: string, sizes: Partial<Cutting> = {}): Cutting => ({
  chunkTokens: 64,
  overlapTokens: 8,
  tokenizer: { name, dir },
  ...sizes,
});

/** Texts of words of several scripts, markup, code, emoji and long runs. */
const texts = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(' ', '\n', '\n\n', '\t', '\r\n', '. ', 'word ', 'A sentence of words. '),
      },
      { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
      {
        weight: 3,
        arbitrary: fc.constantFrom('漢字かな。', 'Freiheit ', 'свобода ', '자유와 ', 'สิทธิ', '👩‍👩‍👧 ', '🇩🇪', 'e\u0301'),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '\n# Title\n',
          '\n- item\n',
          '\n```js\ncode();\n```\n',
          '<p>',
          '</p>',
          '<li>',
          '\n| a | b |\n',
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom('\nfunction f() {\n  return 1;\n}\n', '\ndef f():\n    pass\n') },
      { weight: 1, arbitrary: fc.nat(300).map((length) => 'x'.repeat(length)) },
      { weight: 1, arbitrary: fc.nat(300).map((length) => ' '.repeat(length)) },
      { weight: 1, arbitrary: fc.nat(100).map((length) => '😀'.repeat(length)) },
    ),
    { maxLength: 80 },
  )
  .map((pieces) => pieces.join(''))
  .filter((text) => text.isWellFormed());
const sizes = fc
  .tuple(fc.integer({ min: 32, max: 150 }), fc.nat(74), fc.constantFrom(...FORMATS))
  .map(([chunkTokens, overlap, format]) => ({
    chunkTokens,
    overlapTokens: overlap % Math.floor(chunkTokens / 2),
    format,
  }));

describe.each(TOKENIZERS)(`for any text with the tokenizer %s (SEED=${seed})`, (name) => {
  test('parts fit, are in order and trimmed, share few tokens, omit only white space and cut no grapheme', async () => {
    const property = fc.asyncProperty(texts, sizes, async (text, chosen) => {
      const cutting = by(name, chosen);
      const counter = await counterOf(cutting);
      const starts = new Set(Array.from(GRAPHEMES.segment(text), ({ index }) => index)).add(text.length);
      let [covered, before] = [0, -1];
      for (const { start, end } of await cutText(text, cutting, 1_000)) {
        const part = text.slice(start, end);
        expect(part.trim()).toBe(part);
        expect(part).not.toBe('');
        expect(counter.countWhole(part)).toBeLessThanOrEqual(chosen.chunkTokens);
        expect(start).toBeGreaterThan(before);
        expect(end).toBeGreaterThan(covered);
        expect(text.slice(covered, start).trim()).toBe('');
        if (start < covered) {
          expect(counter.count(text.slice(start, covered))).toBeLessThanOrEqual(chosen.overlapTokens);
        }
        expect(part.isWellFormed()).toBe(true);
        // A grapheme alone never has as many tokens as a part here; white space next to it may be trimmed.
        for (const place of [start, end]) expect(starts.has(place) || isInSpace(text, place)).toBe(true);
        [before, covered] = [start, end];
      }
      expect(text.slice(covered).trim()).toBe('');
    });
    await fc.assert(property, {
      seed,
      numRuns: name === 'estimate' ? 300 : 100,
      interruptAfterTimeLimit: 60_000,
      endOnFailure: true,
    });
  });
});

/** A line break may be one grapheme with what precedes it (`\r\n`), or a mark may follow a trimmed space. */
const isInSpace = (text: string, place: number) => /\s/.test(text.slice(place - 1, place + 1));

test('a prefix and the tokens around each text count', async () => {
  const text = 'one two three four five six seven eight nine ten '.repeat(20);
  const prefix = 'passage: '.repeat(5);
  const [plain, prefixed] = [by('bert'), by('bert', { prefix })];
  const counter = await counterOf(prefixed);
  for (const { start, end } of await cutText(text, prefixed, 100)) {
    expect(counter.countWhole(text.slice(start, end))).toBeLessThanOrEqual(64);
  }
  expect((await cutText(text, prefixed, 100)).length).toBeGreaterThan((await cutText(text, plain, 100)).length);
});

test('parts are nearly full where a text has no better places', async () => {
  const text = 'lorem ipsum dolor sit amet consectetur '.repeat(400);
  for (const name of TOKENIZERS) {
    const cutting = by(name, { chunkTokens: 200, overlapTokens: 0 });
    const counter = await counterOf(cutting);
    const ranges = await cutText(text, cutting, 1_000);
    for (const { start, end } of ranges.slice(0, -1)) {
      expect(counter.countWhole(text.slice(start, end)), name).toBeGreaterThan(150);
    }
  }
});

test('more parts than allowed are too large', async () => {
  const failing = cutText('word '.repeat(5_000), by('estimate'), 10);
  await expect(failing).rejects.toMatchObject({
    type: 'TooLarge',
    message: 'the text has more than 10 parts of 64 tokens, 8 of them shared',
  });
});

test('a prefix that leaves no room for a character is too large', async () => {
  const failing = cutText('word', by('estimate', { prefix: 'many words of a prefix '.repeat(20) }), 10);
  await expect(failing).rejects.toMatchObject({ type: 'TooLarge', message: expect.stringContaining('more than 64') });
});

/** A long text without any white space, or of nothing else. */
test.each([
  ['one letter', 'x'],
  ['Chinese', '漢字'],
  ['emoji', '😀'],
  ['digits', '0123456789'],
  ['less-than signs', '<'],
  ['backquotes', '`'],
  ['line breaks', '\n'],
  ['open tags', '<div '],
])('40,000 characters of %s are split in every format', async (_what, piece) => {
  const text = piece.repeat(40_000 / piece.length);
  for (const format of FORMATS) {
    const cutting = by('estimate', { chunkTokens: 400, overlapTokens: 40, format });
    let covered = 0;
    for (const { start, end } of await cutText(text, cutting, 20_000)) {
      expect(start).toBeLessThanOrEqual(covered);
      covered = end;
    }
    expect(covered).toBe(text.trimEnd().length);
  }
});
