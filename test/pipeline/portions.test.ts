import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Embedder, wrapEmbedder } from '../../src/contract/embedder.ts';
import { contentHasher } from '../../src/pipeline/content-hash.ts';
import type { Loader } from '../../src/pipeline/load.ts';
import type { PrepareOptions } from '../../src/pipeline/prepare-options.ts';
import { portionsOf, prepared } from './prepared.ts';
import { fakeEmbedder, indexConfig } from './support.ts';

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
  const items = Array.from({ length: 14 }, (_, at) => ({ id: `u-${at}`, uri: `http://x.test/${at}` }));
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
  expect(await Promise.all([1, 2, 3].map(batchOf))).toEqual([4, 4, 4]);
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
    const collected = { ready: [] as string[], dropped: [] as string[] };
    for await (const portion of portionsOf(items, { embedder: made, stillWanted, ...oneByOne })) {
      collected.ready.push(...portion.ready.map(({ id }) => id));
      collected.dropped.push(...portion.dropped);
      unwanted.add('c');
    }
    expect(collected).toEqual({ ready: ['a', 'b'], dropped: ['c'] });
  });
});
