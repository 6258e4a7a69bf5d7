import { expect, test } from 'vitest';
import { type IndexConfigInput, indexConfigSchema } from '../../src/contract/indexes.ts';
import { counterOf, cutText, cuttingOf, findCuttingProblem } from '../../src/pipeline/cut.ts';
import { rangesOf } from '../../src/pipeline/split.ts';
import { splitAside } from '../../src/pipeline/split-aside.ts';
import { loadTokenizer } from '../../src/tokenizers/tokenizer.ts';
import { longDocument, mixedCorpus } from '../support/corpus.ts';
import { TOKENIZERS, tokenizerFolder } from '../support/tokenizers.ts';

const dir = tokenizerFolder();
const MODEL = { provider: 'openai', name: 'of-tests', dimensions: 3 } as const;

function configOf(splitter: IndexConfigInput['splitter'], model: object = {}) {
  return indexConfigSchema.parse({ model: { ...MODEL, ...model }, splitter });
}

/** What a model with a window reads of a text: everything, or nothing for certain. */
async function unreadOf(text: string, ranges: readonly { start: number; end: number }[], name: string, window: number) {
  const { countWhole } = await loadTokenizer({ name, dir });
  const read = ranges.filter(({ start, end }) => countWhole(text.slice(start, end)) <= window);
  let [covered, unread] = [0, ''];
  for (const { start, end } of read) {
    unread += text.slice(covered, Math.max(start, covered)).trim();
    covered = Math.max(covered, end);
  }
  return unread + text.slice(covered).trim();
}

test.each(TOKENIZERS.filter((name) => name !== 'estimate'))(
  'a model with a window of 512 tokens by %s reads all of a mixed corpus',
  async (name) => {
    for (const tokenizer of [name, 'estimate']) {
      for (const [what, text] of Object.entries(mixedCorpus())) {
        const format = what === 'markdown' || what === 'html' ? what : what === 'typescript' ? 'code' : 'text';
        const config = configOf({ chunkTokens: 460, overlapTokens: 46, tokenizer, format }, { windowTokens: 512 });
        const ranges = await cutText(text, cuttingOf(config, dir), 1_000);
        expect(await unreadOf(text, ranges, name, 512), `${what} by ${tokenizer}`).toBe('');
      }
    }
  },
);

test('parts by characters lose text in the same window, so that the corpus can tell', async () => {
  const { Chinese = '' } = mixedCorpus();
  const ranges = await rangesOf(Chinese, { chunkSize: 2_000, chunkOverlap: 200 }, 100);
  expect((await unreadOf(Chinese, ranges, 'bert', 512)).length).toBeGreaterThan(100);
});

test.each([
  ['120,000', 'bert', 120_000],
  ['a million', 'estimate', 1_000_000],
])('a document of %s characters is read completely with %s', async (_size, tokenizer, chars) => {
  const text = longDocument(chars);
  const config = configOf({ chunkTokens: 460, overlapTokens: 46, tokenizer }, { windowTokens: 512 });
  const parts = await splitAside(text, cuttingOf(config, dir), 20_000);
  expect(parts.length).toBeGreaterThan(chars / 2_000);
  expect(await unreadOf(text, parts, 'bert', 512)).toBe('');
});

test('parts by characters that are over a known window are split again, the others stay', async () => {
  const { English = '', Chinese = '' } = mixedCorpus();
  const text = `${English}\n\n${Chinese}`;
  const config = configOf({ chunkSize: 2_000, tokenizer: 'bert' }, { windowTokens: 512 });
  const cutting = cuttingOf(config, dir);
  const { countWhole } = await counterOf(cutting);
  const before = await rangesOf(text, { chunkSize: 2_000, chunkOverlap: 200 }, 100);
  const after = await cutText(text, cutting, 100);
  expect(before.some(({ start, end }) => countWhole(text.slice(start, end)) > 512)).toBe(true);
  expect(after.every(({ start, end }) => countWhole(text.slice(start, end)) <= 512)).toBe(true);
  for (const range of before) {
    if (countWhole(text.slice(range.start, range.end)) <= 512) expect(after).toContainEqual(range);
  }
  expect(await unreadOf(text, after, 'bert', 512)).toBe('');
});

test('parts by characters are as before without a known window', async () => {
  const { Chinese = '' } = mixedCorpus();
  const ranges = await cutText(Chinese, cuttingOf(configOf({})), 100);
  expect(ranges).toEqual(await rangesOf(Chinese, { chunkSize: 2_000, chunkOverlap: 200 }, 100));
});

test('a long text has the same parts from a thread', async () => {
  const text = Object.values(mixedCorpus()).join('\n\n').slice(0, 60_000);
  const cutting = cuttingOf(configOf({ chunkTokens: 200, tokenizer: 'bert', format: 'markdown' }), dir);
  const parts = await splitAside(text, cutting);
  const ranges = await cutText(text, cutting, 10_000);
  expect(parts.map(({ start, end }) => ({ start, end }))).toEqual(ranges);
});

test('a thread names the tokenizer that is missing', async () => {
  const cutting = cuttingOf(configOf({ chunkTokens: 200, tokenizer: 'absent' }), dir);
  const failing = splitAside('word '.repeat(10_000), cutting);
  await expect(failing).rejects.toMatchObject({ type: 'TokenizerMissing', message: expect.stringContaining('absent') });
});

test.each([
  [
    'above the window',
    { chunkTokens: 600, tokenizer: 'bert' },
    { windowTokens: 512 },
    'chunkTokens',
    'must be at most 512',
  ],
  ['above a known window', { chunkTokens: 600 }, { name: 'bge-small-en-v1.5' }, 'chunkTokens', 'must be at most 512'],
  ['with a missing tokenizer', { chunkTokens: 100, tokenizer: 'absent' }, {}, 'tokenizer', 'absent.json'],
  [
    'with a prefix that is too long',
    { chunkTokens: 40, tokenizer: 'bert' },
    { documentPrefix: 'many words of a prefix '.repeat(8) },
    'chunkTokens',
    'must be at least 84',
  ],
])('a splitter %s has a problem in its field', async (_what, splitter, model, field, message) => {
  expect(await findCuttingProblem(configOf(splitter, model), dir)).toEqual({
    path: field,
    message: expect.stringContaining(message),
  });
});

test('a splitter at the window has no problem', async () => {
  const config = configOf({ chunkTokens: 512, tokenizer: 'bert' }, { windowTokens: 512 });
  expect(await findCuttingProblem(config, dir)).toBeNull();
});
