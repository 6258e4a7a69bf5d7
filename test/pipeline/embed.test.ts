import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { type ErrorType, ReembedError } from '../../src/contract/errors.ts';
import { batchesOf } from '../../src/pipeline/batches.ts';
import { embedParts } from '../../src/pipeline/embed.ts';
import { fakeEmbedder, rejectionOf, textVector } from './support.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const options = { purpose: 'document', metric: 'cosine' } as const;
const objectOf = (id: string, ...texts: string[]) => ({ id, parts: texts.map((text) => ({ text })) });

test('parts of several objects go in one call and come back to their objects', async () => {
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

test('as many calls as allowed are in flight, and no more', async () => {
  const objects = Array.from({ length: 30 }, (_, at) => objectOf(`o${at}`, `text ${at}`));
  for (const concurrency of [1, 2, 5]) {
    const { embedder, mostRunning } = fakeEmbedder({ maxTexts: 2 });
    await embedParts(objects, embedder, { ...options, concurrency });
    expect(mostRunning()).toBe(concurrency);
  }
});

test('a text longer than a whole call goes alone', () => {
  const batches = batchesOf([{ text: 'ab' }, { text: 'x'.repeat(99) }, { text: 'cd' }], { maxTexts: 10, maxChars: 10 });
  expect(batches.map((batch) => batch.length)).toEqual([1, 1, 1]);
});

describe.each([1, 2, 3, 7, 64, 100])('among %i texts', (count) => {
  test.each([0, Math.floor(count / 2), count - 1])(
    'a bad one in place %i fails alone and is found by halving',
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
      expect(calls.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(count)));
    },
  );
});

test('when every text is bad, each object fails, in less than two calls a text', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: 'poison' });
  const objects = Array.from({ length: 64 }, (_, at) => objectOf(`o${at}`, `poison ${at}`));
  const embedded = await embedParts(objects, embedder, options);
  expect(embedded.every((result) => 'failed' in result)).toBe(true);
  expect(calls.length).toBe(127);
});

test('a bad part fails its whole object, and the rest of that object is not paid for', async () => {
  const { embedder, calls } = fakeEmbedder({ rejects: 'poison', maxTexts: 4 });
  const bad = objectOf('bad', ...Array.from({ length: 400 }, () => 'poison'));
  const embedded = await embedParts([bad, objectOf('good', 'fine')], embedder, { ...options, concurrency: 1 });
  expect(embedded).toMatchObject([
    { id: 'bad', failed: { stage: 'embed' } },
    { id: 'good', vectors: [[4, 102, 101]] },
  ]);
  expect(calls.length).toBeLessThan(6);
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
  'ModelUnavailable',
  'ModelUnauthorized',
  'ModelNotFound',
  'ModelWrongDimension',
])('%s says nothing about a text and rejects the whole call', async (type) => {
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
  const objects = Array.from({ length: 50 }, (_, at) => objectOf(`o${at}`, 'x'));
  expect((await rejectionOf(embedParts(objects, embedder, options), type)).retryAfterMs).toBe(5_000);
  expect(calls).toBeLessThanOrEqual(2);
});

test('when one call fails the others in flight are aborted, and none goes on afterwards', async () => {
  const running = new Set<string>();
  let aborted = 0;
  const embedder: Embedder = {
    dimensions: 3,
    maxTexts: 1,
    maxChars: 100,
    embed: async ([text = ''], { signal }) => {
      if (text === 'bad') throw new ReembedError('ModelUnavailable', 'no answer');
      running.add(text);
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      aborted += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      running.delete(text);
      throw new Error('this call was aborted');
    },
  };
  const objects = ['slow 1', 'slow 2', 'bad', 'never'].map((text) => objectOf(text, text));
  await rejectionOf(embedParts(objects, embedder, { ...options, concurrency: 3 }), 'ModelUnavailable');
  expect([aborted, running.size]).toEqual([2, 0]);
});

test('an aborted signal rejects with its reason, before and during the calls', async () => {
  const controller = new AbortController();
  const { embedder, calls } = fakeEmbedder({ maxTexts: 1 });
  const objects = Array.from({ length: 1_000 }, (_, at) => objectOf(`o${at}`, `t${at}`));
  setTimeout(() => controller.abort(new Error('canceled')), 5);
  await expect(embedParts(objects, embedder, { ...options, signal: controller.signal })).rejects.toThrow('canceled');
  const before = calls.length;
  await expect(embedParts(objects, embedder, { ...options, signal: controller.signal })).rejects.toThrow('canceled');
  expect(calls.length).toBe(before);
});

test('a vector without direction fails its object by cosine only', async () => {
  const { embedder } = fakeEmbedder({ embed: (text) => (text === 'nil' ? [0, 0, 0] : textVector(text)) });
  const objects = [objectOf('a', 'fine', 'nil'), objectOf('b', 'fine')];
  expect(await embedParts(objects, embedder, options)).toMatchObject([
    { id: 'a', failed: { stage: 'embed', reason: 'ZeroVector' } },
    { id: 'b', vectors: [textVector('fine')] },
  ]);
  expect(await embedParts(objects, embedder, { ...options, metric: 'l2' })).toMatchObject([
    { id: 'a', vectors: [textVector('fine'), [0, 0, 0]] },
    { id: 'b' },
  ]);
});

test('a model given in code that breaks its word is found out', async () => {
  const wrong = fakeEmbedder({ embed: () => [1, 2] }).embedder;
  await rejectionOf(embedParts([objectOf('a', 'x')], wrong, options), 'ModelWrongDimension');
  const short: Embedder = { ...wrong, embed: async () => [] };
  await rejectionOf(embedParts([objectOf('a', 'x')], short, options), 'ModelUnavailable');
  const strange = fakeEmbedder({ embed: () => [1, Number.NaN, 0] }).embedder;
  expect(await embedParts([objectOf('a', 'x')], strange, options)).toMatchObject([
    { failed: { reason: 'InvalidVector' } },
  ]);
});

describe(`for any texts (SEED=${seed})`, () => {
  const texts = fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 });
  const limits = fc.record({ maxTexts: fc.integer({ min: 1, max: 10 }), maxChars: fc.integer({ min: 1, max: 60 }) });

  test('batches hold all texts in order, keep the limits, and none could take the next text', () => {
    const property = fc.property(texts, limits, (list, { maxTexts, maxChars }) => {
      const entries = list.map((text) => ({ text }));
      const batches = batchesOf(entries, { maxTexts, maxChars });
      expect(batches.flat()).toEqual(entries);
      const charsOf = (batch: { text: string }[]) => batch.reduce((sum, { text }) => sum + text.length, 0);
      for (const [at, batch] of batches.entries()) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(maxTexts);
        if (batch.length > 1) expect(charsOf(batch)).toBeLessThanOrEqual(maxChars);
        const next = batches[at + 1]?.[0];
        if (next) expect(batch.length === maxTexts || charsOf(batch) + next.text.length > maxChars).toBe(true);
      }
    });
    fc.assert(property, { seed, numRuns: 500 });
  });

  test('each object gets the vectors of its own texts in order, or fails because of one of them', async () => {
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
