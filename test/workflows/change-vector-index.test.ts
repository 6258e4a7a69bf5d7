import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { createModels } from '../../src/models/models.ts';
import { BUILD_CLASS } from '../../src/store/advisory-classes.ts';
import { claimVectorIndex } from '../../src/store/change-vector-index.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { uniqueName } from '../store/builders.ts';
import { openTransaction } from '../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { seenWhen } from '../support/eventually.ts';
import { endOf, givenIndex, type Rig, silentLog, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

const OBJECTS = 30;

let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let rig: Rig;
beforeAll(async () => {
  database = await openPostgresDatabase();
  environment = await startTemporal('dev');
  rig = await startRig({ environment, db: database.db, settings: { vectorIndexAfterParts: 1 } });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

async function filledIndex(): Promise<{ name: string; no: number }> {
  const name = uniqueName('index');
  const { no } = await givenIndex(database.db, name);
  const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `o${at}`, payload: `the text of number ${at}` }));
  expect(await rig.run('upsert', { index: name, items })).toMatchObject({ status: 'done' });
  expect(await rig.run('vector-index', { index: name, vectorIndex: { m: 20 } })).toMatchObject({ status: 'done' });
  return { name, no };
}

const mOf = async (name: string) => (await findIndex(database.db, name))?.vectorIndex?.m;

async function hnswCount(no: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_class where relname like ${`parts_${no}_hnsw%`} and relkind = 'i'`.execute(
    database.db,
  );
  return rows[0]?.count ?? 0;
}

const heldOpen = (no: number) =>
  openTransaction(database.db, (trx) => sql`lock table ${tablesOf(no).parts} in row exclusive mode`.execute(trx));

/** Waits until an unfinished HNSW index is being dropped. */
async function untilDropped(): Promise<void> {
  const drops = () =>
    sql`
      select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%drop index concurrently%'`.execute(
      database.db,
    );
  await seenWhen(drops, ({ rows }) => rows.length > 0, 'the dropping of an HNSW index');
}

describe('a change of a vector index', () => {
  test('is started by PATCH of the index, and builds the new one', async () => {
    const { name, no } = await filledIndex();
    const api = createApi({
      ...{ db: database.db, client: environment.client, taskQueue: rig.taskQueue, log: silentLog },
      models: createModels({ env: {} }),
    });
    const answer = await api.request(`/v1/indexes/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ vectorIndex: { m: 8 }, readyVectors: true }),
    });
    expect(answer.status).toBe(202);
    const { taskId } = (await answer.json()) as { taskId: string };
    expect(await endOf(environment.client.workflow.getHandle(taskId))).toMatchObject({
      status: 'done',
      type: 'vector-index',
      detail: `${name} has the new vector index`,
    });
    expect(await mOf(name)).toBe(8);
    expect(await hnswCount(no)).toBe(1);
  });

  test('shows the progress of the build', async () => {
    const { name, no } = await filledIndex();
    const old = await heldOpen(no);
    const handle = await rig.start('vector-index', { index: name, vectorIndex: { m: 8 } });
    const { data, detail } = await trackerWhen(handle, ({ data }) => data.indexBuild !== undefined);
    expect(data.indexBuild).toMatchObject({ phase: expect.stringContaining('waiting for writers') });
    expect(detail).toContain('waiting for writers');
    await old.commit();
    const ended = await endOf(handle);
    expect(ended).toMatchObject({ status: 'done' });
    expect(ended.data).not.toHaveProperty('indexBuild');
  });

  test('waits while another session builds, without a place of a worker', async () => {
    const { name, no } = await filledIndex();
    const other = await openTransaction(database.db, (trx) =>
      sql`select pg_advisory_xact_lock(${sql.lit(BUILD_CLASS)}, ${no})`.execute(trx),
    );
    const handle = await rig.start('vector-index', { index: name, vectorIndex: { m: 8 } });
    await trackerWhen(handle, ({ status, detail }) => status === 'waiting' && detail.includes('another build'));
    expect((await handle.describe()).raw.pendingActivities ?? []).toEqual([]);
    await other.commit();
    expect(await endOf(handle)).toMatchObject({ status: 'done', detail: `${name} has the new vector index` });
    expect(await mOf(name)).toBe(8);
  });

  test('that is canceled leaves the old one', async () => {
    const { name, no } = await filledIndex();
    const old = await heldOpen(no);
    const handle = await rig.start('vector-index', { index: name, vectorIndex: { m: 8 } });
    await trackerWhen(handle, ({ data }) => data.indexBuild !== undefined);
    await handle.signal('cancel', 'enough');
    // Its drop waits for the transaction too.
    await untilDropped();
    await old.commit();
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
    expect(await mOf(name)).toBe(20);
    expect(await hnswCount(no)).toBe(1);
  });

  test('is refused once another one was asked for', async () => {
    const { name, no } = await filledIndex();
    const old = await heldOpen(no);
    const handle = await rig.start('vector-index', { index: name, vectorIndex: { m: 8 } });
    await trackerWhen(handle, ({ data }) => data.indexBuild !== undefined);
    await claimVectorIndex(database.db, no, 'another task');
    await old.commit();
    expect(await endOf(handle)).toMatchObject({
      status: 'refused',
      detail: expect.stringContaining('another task'),
    });
    expect(await mOf(name)).toBe(20);
    expect(await hnswCount(no)).toBe(1);
  });

  test('that is not possible ends with the field that is wrong', async () => {
    const name = uniqueName('index');
    await givenIndex(database.db, name);
    const tracker = await rig.run('vector-index', { index: name, vectorIndex: { dimensions: 10_000 } });
    expect(tracker.errors[0]).toMatchObject({ type: 'InvalidInput' });
    expect(tracker.errors[0]?.message).toContain('dimensions');
  });
});
