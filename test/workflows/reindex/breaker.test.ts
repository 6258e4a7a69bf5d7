import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { type Day, DIMENSIONS, type Provider, startProvider, vectorOf } from '../../providers/provider.ts';
import { always, changed, error, isPoison, status, unless } from '../../providers/rows.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';

const COUNT = 40;
const textOf = (id: string) => `the poison of ${id}`;
const ids = Array.from({ length: COUNT }, (_, at) => `k${String(at).padStart(2, '0')}`);
const hasObjects: Parameters<typeof unless>[0] = ({ texts }) => texts.some(isPoison);
/** The same vector for every text. */
const constant: Day = changed((items) => items.map((item) => ({ ...item, embedding: [1, 2, 3, 4] })));
/** Good until an object has been copied. */
const afterFirstBatch = (bad: Day): Day => {
  let batches = 0;
  return (call) => {
    if (hasObjects(call)) batches++;
    return batches > 1 ? bad(call) : call.embed();
  };
};

const REJECTED = status(400, error('encoding is broken'));
const QUOTA = status(429, error('You exceeded your current quota', { code: 'insufficient_quota' }));

describe('a reindex whose model cannot be used', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let provider: Provider;
  let rig: Rig;
  let names = 0;

  beforeAll(async () => {
    [environment, database, provider] = await Promise.all([
      startTemporal('dev'),
      openPostgresDatabase(),
      startProvider(),
    ]);
    rig = await startRig({ environment, db: database.db, settings: { maxConcurrentReindexes: 100 } });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await provider?.close();
    await database?.close();
  });

  /** A reindex of what an alias serves to a model of the provider. */
  async function begin(day: Day) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    const use = provider.use(dest, day);
    await givenIndex(database.db, source, { alias });
    await rig.run('upsert', { index: alias, items: ids.map((id) => ({ id, payload: textOf(id) })) });
    const destModel = { provider: 'openai' as const, name: dest, dimensions: DIMENSIONS, baseUrl: use.baseUrl };
    const handle = await rig.start('reindex', {
      ...{ source: alias, dest, batchSize: 5, concurrency: 1 },
      destModel: { ...destModel, sendDimensions: false, batchSize: 128, batchChars: 200_000, timeoutMs: 60_000 },
    });
    return { source, dest, alias, use, handle };
  }

  const aliasOf = async (alias: string) => (await listAliases(database.db)).find((row) => row.alias === alias)?.index;

  async function vectorsIn(name: string): Promise<Record<string, number[]>> {
    const index = await findIndex(database.db, name);
    if (!index) return {};
    const { rows } = await sql<{ id: string; embedding: string }>`
      select object_id as id, embedding::text from ${tablesOf(index.no).parts}`.execute(database.db);
    return Object.fromEntries(rows.map(({ id, embedding }) => [id, JSON.parse(embedding)]));
  }

  async function paused(handle: WorkflowHandle, type: string): Promise<Tracker> {
    const tracker = await trackerWhen(handle, ({ status: now }) => now === 'paused' || now === 'failed');
    expect(tracker).toMatchObject({ status: 'paused', attempts: 1, errors: [{ type }] });
    expect(tracker.detail).toContain(`paused because of ${type}`);
    expect(tracker.detail).toContain(`reembed tasks resume ${handle.workflowId}`);
    return tracker;
  }

  test.each<[string, string, () => Day]>([
    ['fails every call', 'ModelRejectedInput', always(REJECTED)],
    ['fails every call after the first objects', 'ModelRejectedInput', () => afterFirstBatch(REJECTED)],
    ['has no quota', 'ModelQuotaUsedUp', always(QUOTA)],
    ['has no quota after the first objects', 'ModelQuotaUsedUp', () => afterFirstBatch(QUOTA)],
    ['has the same vector for everything', 'ModelSameVector', always(constant)],
    ['has the same vector for everything after the first objects', 'ModelSameVector', () => afterFirstBatch(constant)],
    ['has other dimensions', 'ModelWrongDimension', always((call) => call.embed(call.items({ dimensions: 3 })))],
    ['fails for every object', 'TooManyFailed', always(unless(hasObjects, REJECTED))],
    ['has no vector for any object', 'TooManyFailed', always((call) => call.embed(zeros(call)))],
  ])('pauses when its provider %s, keeps the alias, and writes everything after resume', async (_what, type, day) => {
    const { source, dest, alias, use, handle } = await begin(day());
    const { id } = await paused(handle, type);
    const calls = use.calls.length;
    expect(await aliasOf(alias)).toBe(source);

    // Live writes continue, and what they forward may fail.
    const late = await rig.run('upsert', { index: alias, items: [{ id: 'late', payload: textOf('late') }] });
    expect(late).toMatchObject({ status: 'done', data: { written: 1 } });
    expect(await aliasOf(alias)).toBe(source);
    const forwards = use.calls.filter(({ texts }) => texts.includes(textOf('late')) || texts.length === 1).length;
    expect(use.calls.length).toBeLessThanOrEqual(calls + forwards);

    use.mend();
    await handle.signal('resume');
    expect(await endOf(handle)).toMatchObject({
      status: 'done',
      attempts: 1,
      progress: { failed: 0 },
      data: { failed: 0, verified: { source: COUNT + 1, dest: COUNT + 1, failed: 0 } },
    });
    expect(await aliasOf(alias)).toBe(dest);
    const wanted = [...ids, 'late'].map((key) => [key, vectorOf(textOf(key))]);
    expect(await vectorsIn(dest)).toEqual(Object.fromEntries(wanted));
    expect(await listFailed(database.db, id, { after: null, limit: 10 })).toEqual([]);
  });

  test('is canceled while it is paused: its lock is released and the source serves', async () => {
    const { source, alias, handle } = await begin(afterFirstBatch(QUOTA));
    const { lock } = await paused(handle, 'ModelQuotaUsedUp');
    expect(await listLocks(database.db)).toContainEqual(expect.objectContaining({ lock }));
    await handle.signal('cancel');
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
    expect(await listLocks(database.db)).toEqual([]);
    expect(await aliasOf(alias)).toBe(source);
  });

  test('stops after a few batches, and lists no more objects as failed than these have', async () => {
    const { handle } = await begin(unless(hasObjects, REJECTED));
    await paused(handle, 'TooManyFailed');
    const failed = await listFailed(database.db, handle.workflowId, { after: null, limit: 100 });
    expect(failed.length).toBeLessThan(COUNT / 2);
    await handle.signal('cancel');
    await endOf(handle);
  });

  test('pauses before the switch when its model no longer answers, and switches after resume', async () => {
    let isComplete = false;
    const { source, dest, alias, use, handle } = await begin((call) => {
      // The last objects are on their way; what comes next asks whether the model works.
      if (isComplete) return QUOTA(call);
      isComplete = call.texts.some((text) => text === textOf(ids.at(-1) ?? ''));
      return call.embed();
    });
    await paused(handle, 'ModelQuotaUsedUp');
    expect(await aliasOf(alias)).toBe(source);
    use.mend();
    await handle.signal('resume');
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1 });
    expect(await aliasOf(alias)).toBe(dest);
  });
});

const zeros = (call: Parameters<Day>[0]) =>
  call.items().map((item, at) => (isPoison(call.texts[at] ?? '') ? { ...item, embedding: [0, 0, 0, 0] } : item));
