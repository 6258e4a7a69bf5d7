import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitText } from '../../src/pipeline/split.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

test('a short text is one part without the white space around it', async () => {
  expect(await splitText(' \n hello \t', { chunkSize: 50, chunkOverlap: 10 })).toEqual([
    { part: 0, start: 3, end: 8, text: 'hello' },
  ]);
});

test.each(['', ' ', '\n\t \u00a0', '\n'.repeat(5_000)])('a blank text has no parts: %j', async (text) => {
  expect(await splitText(text, { chunkSize: 50, chunkOverlap: 10 })).toEqual([]);
});

test('a text of exactly the size is one part, a text of one more is two', async () => {
  expect(await splitText('x'.repeat(50), { chunkSize: 50, chunkOverlap: 0 })).toHaveLength(1);
  expect(await splitText('x'.repeat(51), { chunkSize: 50, chunkOverlap: 0 })).toHaveLength(2);
});

test('positions are exact in a text that repeats itself', async () => {
  const parts = await splitText('a'.repeat(130), { chunkSize: 50, chunkOverlap: 10 });
  expect(parts.map(({ start, end }) => [start, end])).toEqual([
    [0, 50],
    [40, 90],
    [80, 130],
  ]);
});

test('a character beyond U+FFFF stays whole, even where a part must end', async () => {
  for (const lead of ['', 'x']) {
    const parts = await splitText(lead + '😀'.repeat(200), { chunkSize: 51, chunkOverlap: 7 });
    expect(parts.length).toBeGreaterThan(5);
    for (const { text } of parts) expect(text.isWellFormed()).toBe(true);
  }
});

test('a megabyte without spaces is split quickly', async () => {
  const began = performance.now();
  expect((await splitText('x'.repeat(1_000_000), { chunkSize: 100_000, chunkOverlap: 1 })).length).toBe(11);
  expect(performance.now() - began).toBeLessThan(5_000);
});

/** Texts of words, repetitions, all kinds of white space, emoji and long runs without spaces. */
const texts = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(' ', '\n', '\n\n', '\n\n\n', '\t', '\r\n', '\u00a0', '.', 'a', 'ab') },
      { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
      { weight: 2, arbitrary: fc.constantFrom('word ', 'word word ', '😀', '👩‍👩‍👧 ', '漢字') },
      { weight: 1, arbitrary: fc.nat(200).map((length) => 'x'.repeat(length)) },
      { weight: 1, arbitrary: fc.nat(200).map((length) => ' '.repeat(length)) },
      { weight: 1, arbitrary: fc.nat(100).map((length) => '😀'.repeat(length)) },
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(''))
  .filter((text) => text.isWellFormed());
const sizes = fc
  .tuple(fc.integer({ min: 50, max: 200 }), fc.nat(199))
  .map(([chunkSize, overlap]) => ({ chunkSize, chunkOverlap: overlap % chunkSize }));

describe(`for any text (SEED=${seed})`, () => {
  test('parts are exact ranges in order, of the right size, trimmed, and omit only white space', async () => {
    const property = fc.asyncProperty(texts, sizes, async (text, splitter) => {
      let covered = 0;
      let before = -1;
      for (const [at, { part, start, end, text: chunk }] of (await splitText(text, splitter)).entries()) {
        expect(part).toBe(at);
        expect(text.slice(start, end)).toBe(chunk);
        expect(chunk.trim()).toBe(chunk);
        expect(chunk.isWellFormed()).toBe(true);
        expect(end - start).toBeGreaterThan(0);
        expect(end - start).toBeLessThanOrEqual(splitter.chunkSize);
        expect(start).toBeGreaterThan(before);
        expect(covered - start).toBeLessThanOrEqual(splitter.chunkOverlap);
        expect(text.slice(covered, start).trim()).toBe('');
        [before, covered] = [start, end];
      }
      expect(text.slice(covered).trim()).toBe('');
    });
    await fc.assert(property, { seed, numRuns: 500 });
  });
});

/** What RecursiveCharacterTextSplitter of @langchain/textsplitters 1.0.2 makes of random texts, one per line. */
const LANGCHAIN = readFileSync(new URL('fixtures/langchain.jsonl', import.meta.url), 'utf8');

test('parts are those of LangChain, without those contained in their neighbors', async () => {
  const recorded = LANGCHAIN.trimEnd().split('\n');
  expect(recorded).toHaveLength(100);
  for (const line of recorded) {
    const { text, chunks, ...sizes }: Recorded = JSON.parse(line);
    const parts = (await splitText(text, sizes)).map((part) => part.text);
    let next = 0;
    for (const chunk of chunks) if (chunk === parts[next]) next += 1;
    expect(next, line).toBe(parts.length);
    for (const chunk of chunks)
      expect(
        parts.some((part) => part.includes(chunk)),
        line,
      ).toBe(true);
  }
});

interface Recorded {
  text: string;
  chunkSize: number;
  chunkOverlap: number;
  chunks: string[];
}
