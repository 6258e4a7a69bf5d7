import { expect, test } from 'vitest';
import { createHashEmbedder } from '../../src/models/hash.ts';
import { createWordsEmbedder } from '../../src/models/words.ts';
import { partsOf } from '../../src/pipeline/parts-of.ts';
import { splitText } from '../../src/pipeline/split.ts';
import { ASIDE_CHARS, splitAside } from '../../src/pipeline/split-aside.ts';
import { fakeEmbedder, indexConfig, rejectionOf } from './support.ts';

const SIZES = { chunkSize: 200, chunkOverlap: 50 };
const LONG = 400_000;

/** Number of turns of the event loop during the work. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

test.each([
  ['one letter', 'x'],
  ['words', 'the quick brown fox '],
  ['paragraphs', 'one line\nand another one\n\n'],
  ['characters beyond U+FFFF', '😀'],
  ['white space', ' \n'],
])('a long text of %s has the same parts from a thread', async (_, piece) => {
  const text = piece.repeat(ASIDE_CHARS / piece.length + 1);
  expect(text.length).toBeGreaterThan(ASIDE_CHARS);
  expect(await splitAside(text, SIZES)).toEqual(await splitText(text, SIZES));
});

test('the event loop runs while a long text without spaces is split', async () => {
  const { embedder } = fakeEmbedder();
  const turns = await turnsDuring(() => partsOf('x'.repeat(LONG), { config: indexConfig(), embedder }));
  expect(turns).toBeGreaterThan(10);
});

test('a text with too many parts is refused in the same way as without a thread', async () => {
  const text = 'word '.repeat(LONG / 5);
  const inThread = await rejectionOf(splitAside(text, SIZES, 100), 'TooLarge');
  expect(inThread.message).toBe((await rejectionOf(splitText(text, SIZES, 100), 'TooLarge')).message);
});

test('an aborted split ends with the reason of its signal', async () => {
  const reason = new Error('the task was canceled');
  const ended = new AbortController();
  const split = splitAside('x'.repeat(10 * LONG), SIZES, undefined, ended.signal);
  ended.abort(reason);
  await expect(split).rejects.toBe(reason);
});

test.each([
  ['hash', createHashEmbedder(32)],
  ['words', createWordsEmbedder()],
])('the event loop runs while the model %s embeds many texts', async (_, embedder) => {
  const texts = Array.from({ length: 1_000 }, (_, at) => `the quick brown fox ${at} jumps over `.repeat(50));
  await embedder.embed(['hello'], { purpose: 'document' });
  expect(await turnsDuring(() => embedder.embed(texts, { purpose: 'document' }))).toBeGreaterThan(1);
});
