import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Embedder, wrapEmbedder } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { contentHasher } from '../../src/pipeline/content-hash.ts';
import type { Loader } from '../../src/pipeline/load.ts';
import { type Prepared, prepareObjects } from '../../src/pipeline/prepare.ts';
import type { PrepareOptions } from '../../src/pipeline/prepare-options.ts';
import { textKeysOf } from '../../src/pipeline/text-key.ts';
import { fakeEmbedder, indexConfig, rejectionOf, textVector } from './support.ts';

const inline: Loader = async ({ payload }) => payload ?? '';

async function prepared(items: Parameters<typeof prepareObjects>[0], options: Partial<PrepareOptions> = {}) {
  const all: Pick<Prepared, 'ready' | 'failed'> = { ready: [], failed: [] };
  for await (const { ready, failed } of portionsOf(items, options)) {
    all.ready.push(...ready);
    all.failed.push(...failed);
  }
  return all;
}

function portionsOf(items: Parameters<typeof prepareObjects>[0], options: Partial<PrepareOptions> = {}) {
  return prepareObjects(items, {
    config: indexConfig(),
    embedder: fakeEmbedder().embedder,
    loader: inline,
    sleep: async () => {},
    ...options,
  });
}

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

test('a batch of many large URIs is loaded, embedded and passed on in groups that fit into memory', async () => {
  const text = 'x'.repeat(8 * 1024 * 1024);
  const hash = await contentHasher(indexConfig())(text);
  const known = async (ids: string[]) => new Map(ids.map((id) => [id, hash]));
  let loaded = 0;
  let most = 0;
  const loader: Loader = async () => {
    loaded += 8;
    most = Math.max(most, loaded);
    return text;
  };
  const items = Array.from({ length: 20 }, (_, at) => ({ id: `u-${at}`, uri: `http://x.test/${at}` }));
  const ids: string[] = [];
  for await (const { ready, failed } of portionsOf(items, { loader, known })) {
    expect(failed).toEqual([]);
    ids.push(...ready.map(({ id }) => id));
    loaded -= 8 * ready.length;
  }
  expect(ids.sort()).toEqual(items.map(({ id }) => id).sort());
  expect(most).toBeLessThanOrEqual(96);
});

test('loads that turn out to be large wait until there is memory for them, and small ones do not', async () => {
  const large = 'x'.repeat(9 * 1024 * 1024);
  let inFlight = 0;
  let most = 0;
  const loader: Loader = async ({ uri }, { admit } = {}) => {
    if (uri?.startsWith('small:')) return 'small';
    admit?.(1_000);
    admit?.(2 * 1024 * 1024);
    most = Math.max(most, ++inFlight);
    await sleep(1);
    inFlight -= 1;
    return large;
  };
  const hash = await contentHasher(indexConfig())(large);
  const known = async (ids: string[]) => new Map(ids.map((id) => [id, hash]));
  const batchOf = async (batch: number) => {
    const items = Array.from({ length: 4 }, (_, at) => ({ id: `${batch}-${at}`, uri: `large:${at}` }));
    let ready = 0;
    for await (const portion of portionsOf(items, { loader, known })) ready += portion.ready.length;
    return ready;
  };
  expect(await Promise.all([1, 2, 3, 4, 5].map(batchOf))).toEqual([4, 4, 4, 4, 4]);
  // Each takes twice the maximum of a payload, from 40 MB.
  expect(most).toBe(2);
  const { ready } = await prepared([{ id: 'a', uri: 'small:' }], { loader });
  expect(ready).toHaveLength(1);
});

test('no objects give one empty portion', async () => {
  const portions = [];
  for await (const portion of portionsOf([])) portions.push(portion);
  expect(portions).toEqual([{ ready: [], failed: [], reused: 0, truncated: 0, dropped: [] }]);
});

describe('an object that is no longer wanted', () => {
  const text = (count: number) => Array.from({ length: count }, (_, at) => `word ${at} `.padEnd(50, 'x')).join('');
  const config = indexConfig({ splitter: { chunkSize: 50, chunkOverlap: 0 } });
  const items = [
    { id: 'gone', payload: text(50) },
    { id: 'stays', payload: 'short' },
  ];

  /** Prepares both items; `gone` is unwanted once `isGone` returns true. */
  async function embedded(isGone: () => boolean, options: Partial<PrepareOptions>, embed: Embedder['embed']) {
    const { embedder, calls } = fakeEmbedder({ maxTexts: 10 });
    const made = wrapEmbedder(embedder, async (texts, how) => {
      await embed(texts, how);
      return embedder.embed(texts, how);
    });
    const stillWanted = async (ids: string[]) => new Set(ids.filter((id) => id !== 'gone' || !isGone()));
    const all = { ready: [] as string[], dropped: [] as string[] };
    for await (const portion of portionsOf(items, {
      ...{ config, embedder: made, stillWanted, concurrency: 1 },
      ...options,
    })) {
      all.ready.push(...portion.ready.map(({ id }) => id));
      all.dropped.push(...portion.dropped);
    }
    return { ...all, texts: calls.flat() };
  }

  test('is not embedded when a delayed call may be made', async () => {
    let isGone = false;
    let calls = 0;
    const hold: Embedder['embed'] = async (_, { afterHold }) => {
      if (++calls !== 2) return [];
      isGone = true;
      await afterHold?.();
      return [];
    };
    const { ready, dropped, texts } = await embedded(() => isGone, {}, hold);
    expect({ ready, dropped }).toEqual({ ready: ['stays'], dropped: ['gone'] });
    expect(texts.slice(10)).toEqual(['short']);
  });

  test('is not embedded any further after the next check', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    let calls = 0;
    const slow: Embedder['embed'] = async () => {
      vi.setSystemTime(Date.now() + (++calls === 2 ? 1_000 : 10));
      return [];
    };
    const { ready, dropped, texts } = await embedded(() => calls > 1, {}, slow);
    expect({ ready, dropped }).toEqual({ ready: ['stays'], dropped: ['gone'] });
    expect(texts).toHaveLength(21);
  });

  test('is not embedded at all if the items have waited before', async () => {
    const { ready, dropped, texts } = await embedded(
      () => true,
      { areFresh: false },
      async () => [],
    );
    expect({ ready, dropped, texts }).toEqual({ ready: ['stays'], dropped: ['gone'], texts: ['short'] });
  });
});

describe('with a time to yield, what is finished', () => {
  const items = ['a', 'b', 'c'].map((id) => ({ id, payload: `text ${id}` }));
  const oneByOne = { concurrency: 1, yieldEveryMs: 1 };

  /** A model for one text at a time, which waits before its third answer. */
  function slowModel(wait: (signal: AbortSignal | undefined) => Promise<void>) {
    const { embedder, calls } = fakeEmbedder({ maxTexts: 1 });
    const made = wrapEmbedder(embedder, async (texts, how) => {
      if (texts.includes('text c')) await wait(how.signal);
      return embedder.embed(texts, how);
    });
    return { embedder: made, calls };
  }

  test('is there while the model is asked for the rest, each object once', async () => {
    let areThere = () => {};
    const two = new Promise<void>((resolve) => {
      areThere = resolve;
    });
    const { embedder } = slowModel(() => two);
    const ids: string[] = [];
    for await (const { ready } of portionsOf(items, { embedder, ...oneByOne })) {
      ids.push(...ready.map(({ id }) => id));
      // The model never answers before.
      if (ids.length === 2) areThere();
    }
    expect(ids).toEqual(['a', 'b', 'c']);
  });

  test('ends the calls of a reader who leaves', async () => {
    let isAborted = false;
    let ask = () => {};
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const { embedder, calls } = slowModel(async (signal) => {
      const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
      ask();
      await aborted;
      isAborted = true;
    });
    for await (const { ready } of portionsOf(items, { embedder, ...oneByOne })) {
      if (ready.length === 0) continue;
      await asked;
      break;
    }
    expect({ isAborted, calls }).toEqual({ isAborted: true, calls: [['text a'], ['text b']] });
  });

  test('comes with what is no longer wanted, which is reported once', async () => {
    const unwanted = new Set<string>();
    const asked: string[] = [];
    const { embedder } = fakeEmbedder({ maxTexts: 1 });
    const made = wrapEmbedder(embedder, async (texts, how) => {
      asked.push(...texts);
      await sleep(5);
      await how.afterHold?.();
      return embedder.embed(texts, how);
    });
    const stillWanted = async (ids: string[]) => new Set(ids.filter((id) => !unwanted.has(id)));
    const told = { ready: [] as string[], dropped: [] as string[] };
    for await (const portion of portionsOf(items, { embedder: made, stillWanted, ...oneByOne })) {
      told.ready.push(...portion.ready.map(({ id }) => id));
      told.dropped.push(...portion.dropped);
      unwanted.add('c');
    }
    expect(told).toEqual({ ready: ['a', 'b'], dropped: ['c'] });
  });
});

describe('an index with a field for the format', () => {
  const sections = ['one', 'two', 'three'].map((name) => `# ${name}\n\n${`Words about ${name} here. `.repeat(8)}`);
  const payload = sections.join('\n\n');
  const by = (splitter: object) => indexConfig({ splitter: { chunkTokens: 90, overlapTokens: 0, ...splitter } });
  const placesOf = ({ ready }: Pick<Prepared, 'ready'>) =>
    ready.map(({ parts }) => parts.map(({ start, end }) => [start, end]));

  test('splits each object by the format that its metadata names', async () => {
    const config = by({ format: 'text', formatField: 'type' });
    const given: Record<string, string>[] = [{ type: 'md' }, { type: 'text' }, {}];
    const all = given.map((metadata, at) => ({ id: `o${at}`, payload, metadata }));
    const [markdown, text, unknown] = placesOf(await prepared(all, { config }));
    expect([markdown]).toEqual(
      placesOf(await prepared([{ id: 'a', payload }], { config: by({ format: 'markdown' }) })),
    );
    expect([text]).toEqual(placesOf(await prepared([{ id: 'a', payload }], { config: by({ format: 'text' }) })));
    expect(unknown).toEqual(text);
    expect(markdown).not.toEqual(text);
  });

  test('embeds an object again when its format changes, and not for other metadata', async () => {
    const config = by({ formatField: 'type' });
    const hashOf = contentHasher(config);
    const stored = new Map([['a', await hashOf(payload, { metadata: { type: 'md' } })]]);
    const known = async () => stored;
    const write = async (metadata: Record<string, string>) =>
      (await prepared([{ id: 'a', payload, metadata }], { config, known })).ready[0]?.unchanged;
    expect(await write({ type: 'html' })).toBe(false);
    expect(await write({ type: 'markdown', other: 'x' })).toBe(true);
  });
});
