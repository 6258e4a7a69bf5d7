import { expect, test } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { contentHasher } from '../../src/pipeline/content-hash.ts';
import type { Loader } from '../../src/pipeline/load.ts';
import { textKeysOf } from '../../src/pipeline/text-key.ts';
import { prepared } from './prepared.ts';
import { fakeEmbedder, indexConfig, rejectionOf, textVector } from './support.ts';

test('a prepared object has everything that is written', async () => {
  const config = indexConfig();
  const textKey = textKeysOf(config.model);
  const { ready, failed } = await prepared([
    { id: 'a', payload: { title: 'hello' }, metadata: { n: 1 }, originalId: 'o', uri: 'http://x.test/' },
    { id: 'b', payload: 'yes' },
  ]);
  expect(failed).toEqual([]);
  expect(ready).toEqual([
    {
      id: 'a',
      payload: { title: 'hello' },
      uri: 'http://x.test/',
      metadata: { n: 1 },
      originalId: 'o',
      hash: await contentHasher(config)({ title: 'hello' }),
      unchanged: false,
      payloadChanged: false,
      parts: [
        { part: 0, start: 0, end: 5, isAverage: false, embedding: textVector('hello'), textKey: textKey('hello') },
      ],
    },
    {
      id: 'b',
      payload: 'yes',
      uri: null,
      metadata: {},
      originalId: null,
      hash: await contentHasher(config)('yes'),
      unchanged: false,
      payloadChanged: false,
      parts: [{ part: 0, start: 0, end: 3, isAverage: false, embedding: textVector('yes'), textKey: textKey('yes') }],
    },
  ]);
});

test('a part has its words and their language where the index has full text', async () => {
  const fullText = { language: 'english' as const, languageField: 'lang' };
  const config = indexConfig({ average: true, fullText, splitter: { chunkSize: 50, chunkOverlap: 0 } });
  const items = [{ id: 'a', payload: `${'x'.repeat(50)}\n\n${'y'.repeat(40)}`, metadata: { lang: 'de' } }];
  const { ready } = await prepared(items, { config });
  expect(ready[0]?.parts.map(({ words }) => words)).toEqual([
    { language: 'german', text: 'x'.repeat(50) },
    { language: 'german', text: 'y'.repeat(40) },
    undefined,
  ]);
});

// A known defect of the system that this one is based on: it averaged the vectors of the whole batch.
test('the average of an object is that of its own parts, regardless of the batch', async () => {
  const config = indexConfig({ average: true, metric: 'l2', splitter: { chunkSize: 50, chunkOverlap: 0 } });
  const embed = (text: string) => (text.startsWith('a') ? [2, 0, 0] : text.startsWith('b') ? [0, 4, 0] : [1_000, 0, 9]);
  const items = [
    { id: 'other', payload: 'z'.repeat(500) },
    { id: 'ab', payload: `${'a'.repeat(50)}\n\n${'b'.repeat(40)}` },
    { id: 'one', payload: 'a' },
  ];
  const { ready } = await prepared(items, { config, embedder: fakeEmbedder({ embed }).embedder });
  const [other, ab, one] = ready;
  const key = textKeysOf(config.model);
  expect(ab?.parts).toEqual([
    { part: 0, start: 0, end: 50, isAverage: false, embedding: [2, 0, 0], textKey: key('a'.repeat(50)) },
    { part: 1, start: 52, end: 92, isAverage: false, embedding: [0, 4, 0], textKey: key('b'.repeat(40)) },
    { part: 2, start: 0, end: 92, isAverage: true, embedding: [1, 2, 0], textKey: null },
  ]);
  expect(other?.parts.at(-1)).toMatchObject({ part: 10, isAverage: true, embedding: [1_000, 0, 9] });
  expect(one?.parts).toHaveLength(1);
});

test('an average is made only if the index has averages', async () => {
  const config = indexConfig({ splitter: { chunkSize: 50, chunkOverlap: 0 } });
  const { ready } = await prepared([{ id: 'a', payload: 'x'.repeat(200) }], { config });
  expect(ready[0]?.parts.map(({ isAverage }) => isAverage)).toEqual([false, false, false, false]);
});

test('an object whose parts cancel each other out keeps its parts and has no average', async () => {
  const config = indexConfig({ average: true, splitter: { chunkSize: 50, chunkOverlap: 0 } });
  const embed = (text: string) => [text.startsWith('a') ? 1 : -1, 0, 0];
  const items = [{ id: 'a', payload: `${'a'.repeat(50)}\n\n${'b'.repeat(40)}` }];
  const { ready } = await prepared(items, { config, embedder: fakeEmbedder({ embed }).embedder });
  expect(ready[0]?.parts.map(({ isAverage }) => isAverage)).toEqual([false, false]);
});

test('each object fails alone, at its own stage, in the order of the items', async () => {
  const loader: Loader = async ({ payload, uri }) => {
    if (uri) throw new ReembedError('NotFound', `${uri} answers 404`);
    return payload ?? '';
  };
  const { embedder } = fakeEmbedder({ rejects: 'poison', embed: (text) => (text === 'nil' ? [0, 0, 0] : [1, 1, 1]) });
  const items = [
    { id: '1', payload: 'poison' },
    { id: '2', uri: 'http://x.test/2' },
    { id: '3', payload: 'good' },
    { id: '4', payload: ' \n ' },
    { id: '5', payload: 'nil' },
    { id: '6', payload: { n: 1 } },
    { id: '7', payload: 'good too' },
  ];
  const { ready, failed } = await prepared(items, { loader, embedder });
  expect(ready.map(({ id }) => id)).toEqual(['3', '7']);
  expect(failed).toEqual([
    { objectId: '1', stage: 'embed', reason: 'ModelRejectedInput', detail: 'one of the texts is bad' },
    { objectId: '2', stage: 'load', reason: 'NotFound', detail: 'http://x.test/2 answers 404' },
    { objectId: '4', stage: 'split', reason: 'EmptyText', detail: 'the payload has no text' },
    { objectId: '5', stage: 'embed', reason: 'ZeroVector', detail: expect.stringContaining('without direction') },
    { objectId: '6', stage: 'split', reason: 'EmptyText', detail: 'the payload has no text' },
  ]);
});

test('an object without text in the fields of the index fails with their names', async () => {
  const config = indexConfig({ splitter: { fields: ['title', 'body.text'] } });
  const { failed } = await prepared([{ id: 'a', payload: { other: 'x' } }], { config });
  expect(failed[0]?.detail).toBe('the payload has no text in the fields title, body.text');
});

test('only changed content is embedded again', async () => {
  const config = indexConfig();
  const asked: string[][] = [];
  const { embedder, calls } = fakeEmbedder();
  const known = async (ids: string[]) => {
    asked.push(ids);
    return new Map([
      ['same', await contentHasher(config)('one')],
      ['other', await contentHasher(config)('something else')],
    ]);
  };
  const items = [
    { id: 'same', payload: 'one', metadata: { raised: true } },
    { id: 'other', payload: 'two' },
    { id: 'new', payload: 'three' },
  ];
  const { ready } = await prepared(items, { config, embedder, known });
  expect(asked).toEqual([['same', 'other', 'new']]);
  expect(calls).toEqual([['two', 'three']]);
  expect(ready.map(({ id, unchanged, parts }) => [id, unchanged, parts.length])).toEqual([
    ['same', true, 0],
    ['other', false, 1],
    ['new', false, 1],
  ]);
  expect(ready[0]).toMatchObject({
    payload: 'one',
    metadata: { raised: true },
    hash: await contentHasher(config)('one'),
  });
});

test('a load that fails for a while is retried without stopping the others, then fails alone', async () => {
  const tries = new Map<string, number>();
  const waits: number[] = [];
  const loader: Loader = async ({ uri = '' }) => {
    const attempt = (tries.get(uri ?? '') ?? 0) + 1;
    tries.set(uri ?? '', attempt);
    if (uri === 'never' || (uri === 'third' && attempt < 3)) throw new ReembedError('LoadFailed', `${uri} answers 503`);
    return 'text';
  };
  const items = ['never', 'third', 'first'].map((uri) => ({ id: uri, uri }));
  const { ready, failed } = await prepared(items, { loader, sleep: async (ms) => void waits.push(ms) });
  expect(ready.map(({ id }) => id)).toEqual(['third', 'first']);
  expect(failed).toEqual([{ objectId: 'never', stage: 'load', reason: 'LoadFailed', detail: 'never answers 503' }]);
  expect(Object.fromEntries(tries)).toEqual({ never: 10, third: 3, first: 1 });
  expect(waits.filter((ms) => ms === 500)).toHaveLength(2);
});

test('eight loads run at once, and a load that waits for its next try takes no slot', async () => {
  let running = 0;
  let most = 0;
  let loadedWhileWaiting = 0;
  const loader: Loader = async ({ uri }) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
    if (uri?.startsWith('down')) throw new ReembedError('LoadFailed', 'down');
    loadedWhileWaiting += 1;
    return 'text';
  };
  const sleep = async () => void (await expect.poll(() => loadedWhileWaiting, { timeout: 90_000 }).toBe(20));
  const items = Array.from({ length: 40 }, (_, at) => ({ id: `${at}`, uri: at < 20 ? `down ${at}` : `up ${at}` }));
  const { ready, failed } = await prepared(items, { loader, sleep, loadAttempts: 2 });
  expect([ready.length, failed.length, most]).toEqual([20, 20, 8]);
});

test('an aborted signal rejects with its reason: no object fails because of it', async () => {
  const controller = new AbortController();
  const loader: Loader = async (_item, { signal } = {}) => {
    controller.abort(new Error('worker shuts down'));
    signal?.throwIfAborted();
    return 'x';
  };
  const run = prepared(
    [
      { id: 'a', uri: 'x' },
      { id: 'b', payload: 'y' },
    ],
    { loader, signal: controller.signal },
  );
  await expect(run).rejects.toThrow('worker shuts down');
});

test('an error of the store, or of the model without blaming a text, rejects', async () => {
  const { embedder } = fakeEmbedder();
  const limited = {
    ...embedder,
    embed: async () => {
      throw new ReembedError('ModelRateLimited', 'slow down', { retryAfterMs: 9 });
    },
  };
  const error = await rejectionOf(prepared([{ id: 'a', payload: 'x' }], { embedder: limited }), 'ModelRateLimited');
  expect(error.retryAfterMs).toBe(9);
  const known = async () => {
    throw new ReembedError('DatabaseUnavailable', 'gone');
  };
  await rejectionOf(prepared([{ id: 'a', payload: 'x' }], { known }), 'DatabaseUnavailable');
});

test('no items need no call', async () => {
  const { embedder, calls } = fakeEmbedder();
  const known = async () => {
    throw new Error('not asked');
  };
  expect(await prepared([], { embedder, known })).toEqual({ ready: [], failed: [] });
  expect(calls).toEqual([]);
});
