import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { type ErrorType, ReembedError } from '../../src/contract/errors.ts';
import { embedParts, objectOf, options } from './embedding.ts';
import { fakeEmbedder, rejectionOf, textVector } from './support.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

test('parts of several objects share one call and are assigned to their objects', async () => {
  const { embedder, calls } = fakeEmbedder();
  const embedded = await embedParts([objectOf('a', 'one', 'three'), objectOf('b', 'xy')], embedder, options);
  expect(calls).toEqual([['one', 'three', 'xy']]);
  expect(embedded).toEqual([
    { id: 'a', vectors: [textVector('one'), textVector('three')] },
    { id: 'b', vectors: [textVector('xy')] },
  ]);
});

test('no objects need no call', async () => {
  const { embedder, calls } = fakeEmbedder();
  expect(await embedParts([], embedder, options)).toEqual([]);
  expect(calls).toEqual([]);
});

test('the allowed number of calls is in flight, and no more', async () => {
  const objects = Array.from({ length: 30 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  for (const concurrency of [1, 2, 5]) {
    const { embedder, maxRunning } = fakeEmbedder({ maxTexts: 2 });
    await embedParts(objects, embedder, { ...options, concurrency });
    expect(maxRunning()).toBe(concurrency);
  }
});

test('a text longer than a whole call goes alone', async () => {
  const { embedder, calls } = fakeEmbedder({ maxTexts: 10, maxChars: 10 });
  await embedParts([objectOf('a', 'ab', 'x'.repeat(99), 'cd')], embedder, { ...options, concurrency: 1 });
  expect(calls.map((texts) => texts.length)).toEqual([1, 1, 1]);
});

test('a text in several objects is sent once', async () => {
  const { embedder, calls } = fakeEmbedder();
  const embedded = await embedParts(
    [objectOf('a', 'same', 'one'), objectOf('b', 'same'), objectOf('c', 'same')],
    embedder,
    options,
  );
  expect(calls).toEqual([['same', 'one']]);
  expect(embedded).toEqual([
    { id: 'a', vectors: [textVector('same'), textVector('one')] },
    { id: 'b', vectors: [textVector('same')], reused: 1 },
    { id: 'c', vectors: [textVector('same')], reused: 1 },
  ]);
});

describe.each([1, 2, 3, 7, 64, 100])('among %i texts', (count) => {
  test.each([0, Math.floor(count / 2), count - 1])(
    'a bad text in place %i fails alone, and few others are refused with it',
    async (bad) => {
      const { embedder, calls } = fakeEmbedder({ rejects: 'poison' });
      const objects = Array.from({ length: count }, (_, at) =>
        objectOf(`o${at}`, at === bad ? 'poison' : `text ${at}`),
      );
      const embedded = await embedParts(objects, embedder, options);
      expect(embedded.flatMap((result) => ('failed' in result ? [result] : []))).toEqual([
        { id: `o${bad}`, failed: { stage: 'embed', reason: 'ModelRejectedInput', detail: 'one of the texts is bad' } },
      ]);
      for (const [at, result] of embedded.entries()) {
        if (at !== bad) expect(result).toEqual({ id: `o${at}`, vectors: [textVector(`text ${at}`)] });
      }
      const refused = calls.filter((texts) => texts.includes('poison'));
      expect(refused.slice(1).flat().length).toBeLessThanOrEqual(2 * Math.log2(count));
      // One more call shows that the model is not to blame for the first text.
      const answered = calls.flat().length - refused.flat().length;
      expect(answered).toBeLessThanOrEqual(count);
    },
  );
});

test('each object fails when every text is bad, in two calls per text', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: 'poison' });
  const objects = Array.from({ length: 64 }, (_, at) => objectOf(`o${at}`, `poison ${at}`));
  const embedded = await embedParts(objects, embedder, options);
  expect(embedded.every((result) => 'failed' in result)).toBe(true);
  expect(calls.length).toBeLessThanOrEqual(128);
});

test('no object fails when the model rejects every text, and a few calls show it', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: '' });
  const objects = Array.from({ length: 64 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  await expect(embedParts(objects, embedder, options)).rejects.toMatchObject({ type: 'ModelRejectedInput' });
  expect(calls.length).toBeLessThanOrEqual(10);
});

test('a bad part fails its whole object, and the rest of the object is not embedded', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: 'poison', maxTexts: 4 });
  const bad = objectOf('bad', ...Array.from({ length: 400 }, (_, at) => `poison ${at}`));
  const embedded = await embedParts([bad, objectOf('good', 'fine')], embedder, { ...options, concurrency: 1 });
  expect(embedded).toMatchObject([
    { id: 'bad', failed: { stage: 'embed' } },
    { id: 'good', vectors: [[4, 102, 101]] },
  ]);
  expect(calls.length).toBeLessThan(8);
});

test('a batch that is rejected only as a whole is embedded in halves', async () => {
  const { embedder } = fakeEmbedder();
  const small: Embedder = {
    ...embedder,
    embed: async (texts, how) => {
      if (texts.length > 3) throw new ReembedError('ModelRejectedInput', 'too many tokens together');
      return embedder.embed(texts, how);
    },
  };
  const objects = Array.from({ length: 20 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  const embedded = await embedParts(objects, small, options);
  expect(embedded).toEqual(objects.map(({ id }, at) => ({ id, vectors: [textVector(`text ${at}`)] })));
});

test.each<ErrorType>([
  'ModelRateLimited',
  'ModelQuotaUsedUp',
  'ModelUnauthorized',
  'ModelNotFound',
  'ModelWrongDimension',
])('%s says nothing about a text and stops all calls', async (type) => {
  let calls = 0;
  const embedder: Embedder = {
    dimensions: 3,
    maxTexts: 1,
    maxChars: 100,
    embed: async () => {
      calls += 1;
      throw new ReembedError(type, 'no', { retryAfterMs: 5_000 });
    },
  };
  const objects = Array.from({ length: 50 }, (_, at) => objectOf(`o${at}`, `x ${at}`));
  expect((await rejectionOf(embedParts(objects, embedder, options), type)).retryAfterMs).toBe(5_000);
  expect(calls).toBeLessThanOrEqual(2);
});

describe(`calls for any texts (SEED=${seed})`, () => {
  const texts = fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 });
  const limits = fc.record({ maxTexts: fc.integer({ min: 1, max: 10 }), maxChars: fc.integer({ min: 1, max: 60 }) });

  test('contain each text once in order, within the limits, and none has room for the next text', async () => {
    const property = fc.asyncProperty(texts, limits, async (list, { maxTexts, maxChars }) => {
      const { embedder, calls } = fakeEmbedder({ maxTexts, maxChars });
      const objects = list.map((text, at) => objectOf(`o${at}`, text));
      await embedParts(objects, embedder, { ...options, metric: 'l2', concurrency: 1 });
      expect(calls.flat()).toEqual([...new Set(list)]);
      const charsOf = (batch: readonly string[]) => batch.reduce((sum, { length }) => sum + length, 0);
      for (const [at, batch] of calls.entries()) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(maxTexts);
        if (batch.length > 1) expect(charsOf(batch)).toBeLessThanOrEqual(maxChars);
        const next = calls[at + 1]?.[0];
        if (next) expect(batch.length === maxTexts || charsOf(batch) + next.length > maxChars).toBe(true);
      }
    });
    await fc.assert(property, { seed, numRuns: 200 });
  });

  test('give each object the vectors of its own texts in order, or fail it because of one of them', async () => {
    const lists = fc.array(fc.array(fc.constantFrom('a', 'bb', 'ccc', 'dddd', '!'), { minLength: 1, maxLength: 6 }), {
      maxLength: 15,
    });
    const property = fc.asyncProperty(
      lists,
      limits,
      fc.integer({ min: 1, max: 4 }),
      async (list, limit, concurrency) => {
        const { embedder } = fakeEmbedder({ ...limit, rejects: '!' });
        const objects = list.map((own, at) => objectOf(`o${at}`, ...own));
        const embedded = await embedParts(objects, embedder, { ...options, concurrency });
        expect(embedded.map((result) => ('failed' in result ? 'failed' : result.vectors))).toEqual(
          list.map((own) => (own.includes('!') ? 'failed' : own.map(textVector))),
        );
      },
    );
    await fc.assert(property, { seed, numRuns: 200 });
  });
});
