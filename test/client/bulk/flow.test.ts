import { describe, expect, it, vi } from 'vitest';
import { type BulkOperation, type BulkReport, createClient } from '../../../src/client/client.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';

interface Call {
  type: 'upsert' | 'delete';
  taskId: string;
  ids: string[];
  body: { items?: { id: string; payload: unknown }[] };
  signal: AbortSignal;
  /** Answers that the task is done, or with another status code. */
  answer(status?: number): void;
}

/** A client whose tasks end when the test decides. */
function heldClient() {
  const calls: Call[] = [];
  const fetch = (input: unknown, init?: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      const body = JSON.parse(String(init?.body));
      const things: (string | { id: string })[] = body.items ?? body.ids;
      const signal = init?.signal as AbortSignal;
      signal.addEventListener('abort', () => reject(signal.reason));
      const [, type] = /tasks\/(\w+)\/run/.exec(String(input)) ?? [];
      calls.push({
        type: type as Call['type'],
        taskId: body.taskId,
        ids: things.map((thing) => (typeof thing === 'string' ? thing : thing.id)),
        body,
        signal,
        answer: (status = 200) => resolve(Response.json(doneTracker(body.taskId, things.length), { status })),
      });
    });
  return { calls, client: createClient({ baseUrl: 'http://api.example', fetch: fetch as typeof globalThis.fetch }) };
}

function doneTracker(id: string, count: number): Tracker {
  const time = '2026-01-01T00:00:00.000Z';
  return {
    id,
    type: 'upsert',
    parentId: null,
    status: 'done',
    detail: '',
    createTime: time,
    updateTime: time,
    attempts: 1,
    maxAttempts: 3,
    lock: null,
    lockTime: null,
    lockExpireTime: null,
    version: 1,
    progress: { done: count, total: count, failed: 0, perSecond: 0, etaSeconds: null },
    data: { written: count, unchanged: 0, stale: 0, failed: 0 },
    errors: [],
    steering: [],
    children: {},
    links: { workflowId: id, runId: 'r' },
  };
}

/** Lets everything happen that waits for nothing else: also a slow machine then gets the turns that it needs. */
async function settle() {
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Waits until the value is there, and then whether it stays. */
async function settled<T>(look: () => T, expected: T): Promise<void> {
  await vi.waitFor(() => expect(look()).toEqual(expected), 90_000);
  await settle();
  expect(look()).toEqual(expected);
}

const upsert = (id: string, payload: unknown = 'x'): BulkOperation => ({ upsert: { id, payload: payload as string } });

/** Counts how many of its operations were read. */
function source() {
  const read = { count: 0, returned: false };
  function* operations(): Generator<BulkOperation> {
    try {
      while (read.count < 1_000) yield upsert(`i${read.count++}`);
    } finally {
      read.returned = true;
    }
  }
  return { read, operations: operations() };
}

const LONG = { index: 'docs', flushIntervalMs: 3_600_000 };

describe('a bulk write', () => {
  it('sends a batch before it takes more, even from a source that never waits for anything else', async () => {
    const { client, calls } = heldClient();
    const bulk = client.bulk({ ...LONG, batchItems: 10 });
    let pushed = 0;
    let pushedByThen: number | undefined;
    setImmediate(() => {
      pushedByThen = pushed; // sockets are written to at about this time
    });
    for (; pushed < 25; pushed++) await bulk.push(upsert(`i${pushed}`));
    expect(pushedByThen).toBeLessThan(25);
    for (const call of calls) call.answer();
    const closed = bulk.close();
    await settle();
    for (const call of calls) call.answer();
    expect(await closed).toMatchObject({ done: 25 });
  });

  it('reads only what is in flight, one batch and one operation, and continues when a batch ends', async () => {
    const { client, calls } = heldClient();
    const { read, operations } = source();
    const bulk = client.bulk({ ...LONG, batchItems: 10, concurrency: 3 });
    const reports = bulk.run(operations);
    const first = reports.next();
    await settled(() => [calls.length, read.count], [3, 41]);
    calls[1]?.answer();
    expect((await first).value).toMatchObject({ id: 'i10', status: 'done', taskId: calls[1]?.taskId });
    // Nine reports have not been taken, so their batch is still in flight.
    await settled(() => [calls.length, read.count], [3, 41]);
    for (let at = 11; at < 20; at++) expect((await reports.next()).value).toMatchObject({ id: `i${at}` });
    await settled(() => [calls.length, read.count], [4, 51]);
    await reports.return(undefined);
    await settled(() => read.returned, true);
    expect([calls.length, calls.every(({ signal }) => signal.aborted)]).toEqual([4, true]);
  });

  it('cuts batches by UTF-8 bytes, and sends an item larger than a batch alone', async () => {
    const { client, calls } = heldClient();
    const bulk = client.bulk({ ...LONG, batchBytes: 1_000, concurrency: 10 });
    const sent = (async () => {
      for (const id of ['a', 'b', 'c']) await bulk.upsert({ id, payload: 'é'.repeat(200) });
      await bulk.upsert({ id: 'd', payload: 'x'.repeat(5_000) });
      await bulk.upsert({ id: 'e', payload: 'x' });
      return bulk.close();
    })();
    await settled(() => calls.map(({ ids }) => ids), [['a', 'b'], ['c'], ['d'], ['e']]);
    for (const call of calls) call.answer();
    const summary = await sent;
    const bytes = calls
      .flatMap(({ body }) => body.items ?? [])
      .map((item) => Buffer.byteLength(JSON.stringify(item)) + 1);
    expect(summary).toMatchObject({ batches: 4, bytes: bytes.reduce((sum, one) => sum + one), written: 5 });
  });

  it('sends what it has after the interval, and immediately on flush', async () => {
    const { client, calls } = heldClient();
    const soon = client.bulk({ index: 'docs', flushIntervalMs: 5 });
    await soon.upsert({ id: 'a', payload: 'x' });
    expect(calls).toEqual([]);
    await settled(() => calls.map(({ ids }) => ids), [['a']]);

    const later = client.bulk(LONG);
    await later.upsert({ id: 'b', payload: 'x' });
    let isFlushed = false;
    const flushed = later.flush().then(() => {
      isFlushed = true;
    });
    await later.upsert({ id: 'c', payload: 'x' });
    await settled(() => [calls[1]?.ids[0], isFlushed], ['b', false]);
    for (const call of calls) call.answer();
    await flushed;
    expect(later.summary.done).toBe(calls[1]?.ids.length);
  });

  it('has no object in two batches at once, and is not affected by later changes of the caller', async () => {
    const { client, calls } = heldClient();
    const bulk = client.bulk({ ...LONG, concurrency: 4 });
    const item = { id: 'a', payload: { text: 'first' } };
    await bulk.upsert(item);
    item.payload.text = 'second';
    await bulk.upsert(item);
    await bulk.upsert({ id: 'b', payload: 'x' });
    await bulk.delete('a');
    await bulk.upsert({ id: 'a-1', payload: 'x', originalId: 'a' });
    const closed = bulk.close();
    const seen: [string, string[]][] = [];
    for (let at = 0; at < 4; at++) {
      await settle();
      expect(calls).toHaveLength(at + 1);
      seen.push([calls[at]?.type as string, calls[at]?.ids as string[]]);
      calls[at]?.answer();
    }
    expect((await closed).done).toBe(5);
    expect(seen).toEqual([
      ['upsert', ['a', 'b']],
      ['upsert', ['a']],
      ['delete', ['a']],
      ['upsert', ['a-1']],
    ]);
    expect(calls.map(({ body }) => body.items?.[0]?.payload)).toEqual([
      { text: 'first' },
      { text: 'second' },
      undefined,
      'x',
    ]);
  });

  it('sends the same task again, and reports an unknown outcome after the max number of tries', async () => {
    const { client, calls } = heldClient();
    const bulk = client.bulk({ ...LONG, retries: 1 });
    const reports: BulkReport[] = [];
    const ended = (async () => {
      for await (const report of bulk.run([upsert('a')])) reports.push(report);
    })();
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.answer(503);
    await expect.poll(() => calls.length).toBe(2);
    calls[1]?.answer(503);
    await ended;
    expect(calls[1]?.body).toEqual(calls[0]?.body);
    expect(reports).toMatchObject([{ stage: 'accept', reason: 'ServerUnavailable', taskId: calls[0]?.taskId }]);
    expect(bulk.summary).toMatchObject({ failed: 1, retries: 1, batches: 0 });
  });

  it('stops immediately when its signal aborts: requests, waiting pushes, flush and close', async () => {
    const { client, calls } = heldClient();
    const abort = new AbortController();
    const bulk = client.bulk({ ...LONG, batchItems: 1, concurrency: 1, signal: abort.signal });
    await bulk.push(upsert('a'));
    await bulk.push(upsert('b'));
    const waiting = [bulk.push(upsert('c')), bulk.flush(), bulk.close()];
    const reason = new Error('enough');
    abort.abort(reason);
    for (const one of await Promise.allSettled(waiting)) expect(one).toEqual({ status: 'rejected', reason });
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true]);
    const late = client.bulk({ ...LONG, signal: abort.signal });
    await expect(late.push(upsert('d'))).rejects.toBe(reason);
    await expect(late.run([upsert('d')]).next()).rejects.toBe(reason);
    expect(calls).toHaveLength(1);
  });

  it('ends with the error of its source or of onReport, and accepts nothing after it is closed', async () => {
    const { client, calls } = heldClient();
    async function* broken() {
      yield upsert('a');
      throw new RangeError('the source is broken');
    }
    await expect(client.bulk(LONG).run(broken()).next()).rejects.toThrow('the source is broken');

    const onReport = () => {
      throw new RangeError('nobody listens');
    };
    const bulk = client.bulk({ ...LONG, onReport });
    await bulk.push(upsert('b'));
    const closed = bulk.close();
    await settle();
    calls.at(-1)?.answer();
    await expect(closed).rejects.toThrow('nobody listens');
    await expect(bulk.push(upsert('c'))).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  it('is flushed and closed at the end of its block', async () => {
    const { client, calls } = heldClient();
    const reports: BulkReport[] = [];
    const block = (async () => {
      await using bulk = client.bulk({ ...LONG, onReport: (report) => void reports.push(report) });
      await bulk.upsert({ id: 'a', payload: 'x' });
    })();
    await settle();
    calls[0]?.answer();
    await block;
    expect(reports).toMatchObject([{ id: 'a', status: 'done' }]);
  });

  it('names each wrong option', () => {
    const { client } = heldClient();
    const wrong = () => client.bulk({ index: 'a b', batchItems: 0, batchBytes: 1e9, concurrency: 1.5 });
    expect(wrong).toThrow(/index: .*batchItems: .*batchBytes: .*concurrency: /s);
  });
});
