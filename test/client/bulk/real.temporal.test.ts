import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BulkOperation, type BulkReport, createClient } from '../../../src/client/client.ts';
import { type EmbeddingServer, rejectTexts, startEmbeddingServer } from '../../support/embedding-server.ts';
import { type Fate, startFlakyProxy } from '../../support/flaky-proxy.ts';
import { type System, startSystem } from '../../support/system.ts';
import { Random } from '../../torture/random.ts';

let system: System;
let embedding: EmbeddingServer;
beforeAll(async () => {
  system = await startSystem();
  embedding = await startEmbeddingServer({ dimensions: 8, behave: rejectTexts(/poison/) });
});
afterAll(async () => {
  await embedding?.close();
  await system?.stop();
});

const SLOW_MS = 180_000;

const HASH = { model: { provider: 'hash', dimensions: 16 } } as const;
let indexes = 0;
async function newIndex(config: Parameters<typeof system.reembed.indexes.create>[1] = HASH): Promise<string> {
  const name = `bulk-${++indexes}`;
  await system.reembed.indexes.create(name, config);
  return name;
}

/** Payload of each object, by id. */
async function contents(index: string): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for await (const { id, payload } of system.reembed.objects.list(index, { limit: 1_000 })) found.set(id, payload);
  return found;
}

async function tasksOf(index: string): Promise<number> {
  const ids: string[] = [];
  for await (const { id } of system.reembed.tasks.list({ index })) ids.push(id);
  return ids.length;
}

/** Writes on few objects, some derived from others, and the result if they are done one by one. */
function fewObjects(seed: number, count: number): { operations: BulkOperation[]; wanted: Map<string, unknown> } {
  const random = new Random(seed);
  const wanted = new Map<string, { payload: string; originalId?: string }>();
  const operations = Array.from({ length: count }, (_, at): BulkOperation => {
    const original = `o${random.below(4)}`;
    const id = random.chance(0.3) ? original : `${original}-d${random.below(12)}`;
    if (random.chance(0.3)) {
      wanted.delete(id);
      for (const [other, { originalId }] of wanted) if (originalId === id) wanted.delete(other);
      return { delete: random.chance(0.5) ? id : { id } };
    }
    const item = { id, payload: `text ${at}`, ...(id !== original && { originalId: original }) };
    wanted.set(id, item);
    return { upsert: item };
  });
  return { operations, wanted: new Map([...wanted].map(([id, { payload }]) => [id, payload])) };
}

describe('a bulk write', () => {
  it.each([11, 12])(
    'has the result of its operations one by one, however many are in flight (seed %i)',
    { timeout: SLOW_MS },
    async (seed) => {
      const index = await newIndex();
      const { operations, wanted } = fewObjects(seed, 120);
      const reports: BulkReport[] = [];
      const bulk = system.reembed.bulk({ index, batchItems: 25, concurrency: 6, flushIntervalMs: 10 });
      for await (const report of bulk.run(operations)) reports.push(report);
      expect(await contents(index)).toEqual(wanted);
      const idOf = (operation: BulkOperation) =>
        'upsert' in operation ? operation.upsert.id : idOfDeletion(operation);
      expect(reports.filter(({ status }) => status !== 'done')).toEqual([]);
      // In the original order for each object.
      for (const id of new Set(operations.map(idOf))) {
        const asked = operations
          .filter((operation) => idOf(operation) === id)
          .map((one) => ('upsert' in one ? 'u' : 'd'));
        expect(reports.filter((report) => report.id === id).map(({ op }) => op[0])).toEqual(asked);
      }
      expect(bulk.summary).toMatchObject({ operations: 120, done: 120, failed: 0, retries: 0 });
    },
  );

  it('sends lost requests again, and nothing takes effect twice', { timeout: SLOW_MS }, async () => {
    const index = await newIndex();
    const random = new Random(5);
    const fates: Fate[] = ['pass', 'pass', 'pass', 'pass', 'unavailable', 'slowDown', 'drop', 'lose'];
    const proxy = await startFlakyProxy(system.url, () => random.pick(fates));
    const { operations, wanted } = fewObjects(21, 60);
    const bulk = createClient({ baseUrl: proxy.url }).bulk({
      index,
      batchItems: 25,
      concurrency: 3,
      flushIntervalMs: 10,
    });
    for (const operation of operations) await bulk.push(operation);
    const summary = await bulk.close();
    await proxy.close();
    expect(summary).toMatchObject({ operations: 60, done: 60 });
    expect(summary.retries).toBeGreaterThan(2);
    expect(proxy.running.most).toBeLessThanOrEqual(3);
    expect(await contents(index)).toEqual(wanted);
    await expect.poll(() => tasksOf(index), { timeout: 90_000 }).toBe(summary.batches);
  });

  it('reports where and why each failed operation failed, and writes the others', async () => {
    const model = { provider: 'openai', name: 'm', dimensions: 8, baseUrl: embedding.url } as const;
    const index = await newIndex({ model });
    const failed: BulkReport[] = [];
    const onReport = (report: BulkReport) => void (report.status === 'failed' && failed.push(report));
    await using bulk = system.reembed.bulk({ index, onReport });
    for (let at = 0; at < 20; at++) await bulk.upsert({ id: `good-${at}`, payload: `text ${at}` });
    await bulk.upsert({ id: 'p', payload: 'poison' });
    await bulk.upsert({ id: '', payload: 'no id' });
    await bulk.upsert({ id: 'both', payload: 'x', uri: 'http://example.com/' });
    await bulk.upsert({ id: 'fat', payload: 'x', metadata: { text: 'é'.repeat(40_000) } });
    await bulk.upsert({ id: 'big', payload: { n: 1n } as never });
    await bulk.delete('..');
    await bulk.push({} as never);
    const summary = await bulk.close();
    expect(summary).toMatchObject({ operations: 27, done: 20, failed: 7, written: 20 });
    const shown = failed.map((report) => report.status === 'failed' && [report.id, report.stage, report.reason]);
    expect(shown).toEqual([
      ['', 'check', 'InvalidInput'],
      ['both', 'check', 'InvalidInput'],
      ['fat', 'check', 'InvalidInput'],
      ['big', 'check', 'InvalidInput'],
      ['..', 'check', 'InvalidInput'],
      ['', 'check', 'InvalidInput'],
      ['p', 'embed', 'ModelRejectedInput'],
    ]);
    expect(failed.at(-1)).toMatchObject({
      taskId: expect.stringMatching(/^bulk-/),
      operation: { upsert: { id: 'p', payload: 'poison' } },
    });
    expect((await contents(index)).size).toBe(20);
  });

  it('omits an item that only the API can refuse, and sends the rest', async () => {
    const index = await newIndex({ ...HASH, versioning: 'external' });
    const reports: BulkReport[] = [];
    const bulk = system.reembed.bulk({ index });
    const operations = Array.from({ length: 10 }, (_, at) => ({
      upsert: { id: `e${at}`, payload: 'x', ...(at % 3 > 0 && { version: at }) },
    }));
    for await (const report of bulk.run(operations)) reports.push(report);
    const refused = reports.filter(({ status }) => status === 'failed');
    expect(refused.map(({ id }) => id)).toEqual(['e0', 'e3', 'e6', 'e9']);
    expect(refused[0]).toMatchObject({
      stage: 'accept',
      taskId: null,
      detail: expect.stringContaining('version: required'),
    });
    expect((await contents(index)).size).toBe(6);
    expect(bulk.summary).toMatchObject({ done: 6, failed: 4, batches: 1 });
  });

  it('uses smaller batches where the API, or a proxy before it, accepts less', async () => {
    const index = await newIndex();
    const small = createClient({ baseUrl: await system.listen({ bodyBytes: 40_000 }) });
    const bulk = small.bulk({ index, concurrency: 2 });
    const operations = Array.from({ length: 300 }, (_, at) => ({
      upsert: { id: `s${at}`, payload: 'x'.repeat(1_000) },
    }));
    for await (const report of bulk.run([...operations, { upsert: { id: 'huge', payload: 'x'.repeat(50_000) } }])) {
      if (report.status === 'failed') expect(report).toMatchObject({ id: 'huge', stage: 'accept', reason: 'TooLarge' });
    }
    expect(bulk.summary).toMatchObject({ done: 300, failed: 1 });
    expect((await contents(index)).size).toBe(300);
  });

  it('reports every operation of a batch that the API refuses or whose task fails', async () => {
    const nowhere = system.reembed.bulk({ index: 'nowhere' });
    for await (const report of nowhere.run([{ upsert: { id: 'a', payload: 'x' } }, { delete: 'b' }])) {
      expect(report).toMatchObject({ status: 'failed', stage: 'accept', reason: 'IndexNotFound', taskId: null });
    }
    expect(nowhere.summary).toMatchObject({ failed: 2, batches: 0 });

    const index = await newIndex();
    await system.reembed.tasks.upsert({ index, items: [{ id: 'a', payload: 'x' }] }, { wait: true });
    const rebuilding = { source: index, dest: `${index}-b`, destModel: HASH.model, ratePerSecond: 0.001 };
    const { id: taskId } = await system.reembed.tasks.reindex(rebuilding);
    await expect.poll(async () => (await system.reembed.indexes.get(index)).lock, { timeout: 90_000 }).toBeTruthy();
    const refused = system.reembed.bulk({ index, onReindex: 'refuse' });
    for await (const report of refused.run([{ upsert: { id: 'b', payload: 'y' } }])) {
      expect(report).toMatchObject({
        status: 'failed',
        stage: 'task',
        reason: 'refused',
        taskId: expect.stringMatching(/^bulk-/),
      });
    }
    await system.reembed.tasks.cancel(taskId);
  });

  it('can report acceptance only', async () => {
    const index = await newIndex();
    const bulk = system.reembed.bulk({ index, wait: false });
    const reports: BulkReport[] = [];
    for await (const report of bulk.run([{ upsert: { id: 'a', payload: 'x' } }])) reports.push(report);
    expect(reports).toEqual([{ op: 'upsert', id: 'a', status: 'accepted', taskId: expect.stringMatching(/^bulk-/) }]);
    const tracker = await system.reembed.tasks.wait(reports[0]?.status === 'accepted' ? reports[0].taskId : '');
    expect(tracker).toMatchObject({ status: 'done', data: { written: 1 } });
  });
});

function idOfDeletion(operation: BulkOperation): string {
  const deletion = 'delete' in operation ? operation.delete : '';
  return typeof deletion === 'string' ? deletion : deletion.id;
}
