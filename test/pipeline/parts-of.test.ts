import { expect, test } from 'vitest';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import { LIMITS } from '../../src/contract/limits.ts';
import { createModels } from '../../src/models/models.ts';
import { partsOf } from '../../src/pipeline/parts-of.ts';
import { splitText } from '../../src/pipeline/split.ts';
import { fakeEmbedder, indexConfig } from './support.ts';

const MAX_OVERLAP = { chunkSize: 50, chunkOverlap: 25 };

test('the overlap of parts is at most half of their size', () => {
  const parse = (splitter: object) => indexConfigSchema.safeParse({ model: { provider: 'hash' }, splitter });
  expect(parse(MAX_OVERLAP).success).toBe(true);
  for (const splitter of [
    { chunkSize: 50, chunkOverlap: 26 },
    { chunkSize: 50, chunkOverlap: 49 },
    { chunkSize: 399 },
  ]) {
    const { error } = parse(splitter);
    expect(error?.issues).toMatchObject([
      { path: ['splitter', 'chunkOverlap'], message: 'must be at most half of chunkSize' },
    ]);
  }
});

test.each([
  ['words', 'word '],
  ['one long line', 'x'],
  ['emoji', '😀'],
])('a text of %s with more parts than allowed is too large, one with as many is not', async (_what, piece) => {
  const text = piece.repeat(400);
  const { length } = await splitText(text, MAX_OVERLAP);
  // The last part may lie within its neighbor, and is counted before that is known.
  expect(await splitText(text, MAX_OVERLAP, length + 1)).toHaveLength(length);
  await expect(splitText(text, MAX_OVERLAP, length - 2)).rejects.toMatchObject({ type: 'TooLarge' });
});

test('white space does not count as a part', async () => {
  expect(await splitText(`a${' '.repeat(5_000)}b`, MAX_OVERLAP, 2)).toHaveLength(2);
});

test.each([
  ['more parts than one object may have', { dimensions: 3, most: LIMITS.partsPerObject }],
  ['vectors with more numbers than one object may have', { dimensions: 16_000, most: 2_000 }],
])('an object with %s fails as too large before the model is asked', async (_what, { dimensions, most }) => {
  const { embedder, calls } = fakeEmbedder();
  const config = indexConfig({ model: { provider: 'hash', dimensions }, splitter: MAX_OVERLAP });
  expect(await partsOf('x'.repeat(25 * (most + 10)), { config, embedder })).toEqual({
    failed: {
      stage: 'split',
      reason: 'TooLarge',
      detail: `the text has more than ${most} parts of 50 characters, 25 of them shared`,
    },
  });
  expect(await partsOf('x'.repeat(25 * (most - 10)), { config, embedder })).toHaveLength(most - 11);
  expect(calls).toEqual([]);
});

test('an object fails if the model words knows none of its words, but not with a known word in one part', async () => {
  const config = indexConfigSchema.parse({
    model: { provider: 'words' },
    splitter: { chunkSize: 50, chunkOverlap: 0 },
  });
  const embedder = createModels({ env: {} }).embedder(config.model);
  const failed = {
    stage: 'embed',
    reason: 'NoKnownWords',
    detail: 'the model glove-100d-30k knows no word of the text',
  };
  for (const text of ['猫がソファで寝ている', '🦁🐯', '...', 'qqxzv wwqxz']) {
    expect(await partsOf(text, { config, embedder })).toEqual({ failed });
  }
  expect(await partsOf(`${'🦁'.repeat(40)} a lion sleeps`, { config, embedder })).toHaveLength(3);
});
