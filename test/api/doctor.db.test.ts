import { type Client, Connection } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDoctorRouter } from '../../src/api/doctor.ts';
import { onlyPlace, Places } from '../../src/api/places/places.ts';
import { SideReads } from '../../src/api/reads/side-reads.ts';
import { SearchSampler } from '../../src/api/sampling/sampler.ts';
import { DOCTOR_CHECKS, type Doctor, type DoctorCheck } from '../../src/contract/doctor.ts';
import { followerIdOf } from '../../src/contract/names.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { serverChecks } from '../../src/store/doctor/server.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { ONLY_NAMES } from '../../src/store/placement/directory.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { SourceDatabases } from '../../src/store/sources/databases.ts';
import { setSourceState } from '../../src/store/sources/rows.ts';
import { recordFailed, stageItems } from '../../src/store/staging.ts';
import { content, createIndex, expireLock, lockIn, partsOf, uniqueName, writeIn } from '../store/builders.ts';
import { onBothDatabases, openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenSource } from '../workflows/sources/world.ts';
import { listeningLog, models } from './support.ts';

const DAY = 86_400;

/** A Temporal server that keeps ended tasks this long and knows no task. */
function temporal(retentionSeconds = 3 * DAY): Client {
  const config = { workflowExecutionRetentionTtl: { seconds: retentionSeconds } };
  return {
    options: { namespace: 'default' },
    withDeadline: (_deadline: number, call: () => unknown) => call(),
    workflowService: { describeNamespace: async () => ({ config }) },
    workflow: {
      getHandle: () => ({
        describe: async () => {
          throw new WorkflowNotFoundError('not found', 'any', undefined);
        },
      }),
    },
    connection: Connection.lazy(),
  } as unknown as Client;
}

async function findings(db: Db, client = temporal(), settings = { indexMemoryMb: 64, vectorIndexAfterParts: 50 }) {
  const sourceDatabases = new SourceDatabases({ db, allowed: [], env: {} });
  const log = listeningLog();
  const searching = {
    db,
    client,
    sourceDatabases,
    reads: new SideReads({ db, models, log }),
    sampler: new SearchSampler({ db, log }),
  };
  const places = new Places(onlyPlace({ db, background: db, taskQueue: 'test', searching }, ONLY_NAMES));
  const response = await createDoctorRouter({ client, places, settings }).request('/');
  expect(response.status).toBe(200);
  const { checks, findings: found } = (await response.json()) as Doctor;
  expect(checks).toBe(Object.keys(DOCTOR_CHECKS).length);
  // The server of the tests runs without these, to be faster.
  const kept = found.map((one) => ({
    ...one,
    details: one.details.filter((text) => !/^(fsync|full_page)/.test(text)),
  }));
  return kept.filter(({ details }) => details.length > 0);
}

/** A source of a table that is in order. */
async function givenFollowed(db: Db) {
  const table = uniqueName('followed').replaceAll('-', '_');
  await sql.raw(`create table ${table} (id int primary key, body text)`).execute(db);
  const source = await givenSource(db, table, { index: table, table, text: ['body'] });
  await setSourceState(db, source.no, 'following');
  return source;
}

const detailsOf = async (db: Db, check: DoctorCheck, ...rest: [client?: Client]) =>
  (await findings(db, ...rest)).find((one) => one.check === check)?.details;

onBothDatabases((database) => {
  test('a database that is in order has no findings', async () => {
    await createIndex(database().db);
    expect(await findings(database().db)).toEqual([]);
  });
});

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

let index: IndexRow;
beforeEach(async () => {
  await sql`delete from reembed.failed_items`.execute(database.db);
  await sql`delete from reembed.staged_items`.execute(database.db);
  index = await createIndex(database.db, { name: uniqueName('docs') });
});

test.each<[DoctorCheck, (no: number) => ReturnType<typeof sql>[], (no: number, name: string) => string]>([
  [
    'pgvector-old',
    () => [sql`update pg_extension set extversion = '0.8.3' where extname = 'vector'`],
    () => 'the extension vector has version 0.8.3',
  ],
  [
    'autovacuum-off',
    (no) => [sql`alter table ${tablesOf(no).parts} set (autovacuum_enabled = false)`],
    (no) => `the table reembed.parts_${no} has autovacuum_enabled = false`,
  ],
  [
    'key-missing',
    (no) => [sql`alter table ${tablesOf(no).objects} drop constraint ${sql.id(`objects_${no}_pkey`)}`],
    (no) => `reembed.objects_${no}`,
  ],
  [
    'index-invalid',
    (no) => [
      sql`update pg_index set indisvalid = false where indexrelid = ${`reembed.objects_${no}_metadata`}::text::regclass`,
    ],
    (no) => `reembed.objects_${no}_metadata`,
  ],
  ['tables-missing', (no) => [sql`drop table ${tablesOf(no).parts}`], (_no, name) => `the index ${name}`],
  [
    'tables-orphaned',
    (no) => [sql`alter table ${tablesOf(no).parts} rename to ${sql.id(`parts_${no + 1_000}`)}`],
    (no) => `reembed.parts_${no + 1_000}`,
  ],
  [
    'model-ends',
    (no) => [
      sql`update reembed.indexes set model = ${'{"provider":"google","name":"text-embedding-004","dimensions":768}'}::jsonb where no = ${no}`,
    ],
    (_no, name) => name,
  ],
])('the doctor finds %s, and only while it is so', async (check, breaks, text) => {
  const { db } = database;
  expect((await detailsOf(db, check)) ?? []).toEqual([]);
  const { no, name } = index;
  // Rolled back, so that the other tests see a database in order.
  const undone = db.transaction().execute(async (trx) => {
    for (const each of breaks(no)) await each.execute(trx);
    const found = await detailsOf(trx, check);
    expect(found).toHaveLength(1);
    expect(found?.[0]).toContain(text(no, name));
    throw new Error('undo');
  });
  await expect(undone).rejects.toThrow('undo');
});

test('the doctor finds settings of the session that hurt', async () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c statement_timeout=5000 -c synchronous_commit=off');
  const db = openDatabase({ url: url.href, maxConnections: 1 });
  try {
    const found = await findings(db);
    expect(found.map(({ check, severity }) => [check, severity])).toEqual([
      ['disk-unsafe', 'error'],
      ['statement-timeout', 'warning'],
    ]);
    expect(found.map(({ details }) => details)).toEqual([
      ['synchronous_commit is off'],
      ['statement_timeout is 5000 ms'],
    ]);
  } finally {
    await db.destroy();
  }
});

test('the doctor finds an index with enough parts and no HNSW index, and one that needs more memory', async () => {
  const { db } = database;
  const objects = Array.from({ length: 60 }, (_, at) => content(`d${at}`, 1, { parts: partsOf([at]) }));
  await writeIn(db, index, objects);
  expect(await detailsOf(db, 'vector-index-missing')).toEqual([`the index ${index.name}`]);
  await sql`analyze ${tablesOf(index.no).parts}`.execute(db);
  const found = await findings(db, temporal(), { indexMemoryMb: 0, vectorIndexAfterParts: 100 });
  expect(found).toEqual([
    expect.objectContaining({
      check: 'build-memory-small',
      details: [`the index ${index.name} needs about 1 MB of 0 MB`],
    }),
  ]);
  await sql`truncate ${tablesOf(index.no).parts}`.execute(db);
});

test('the doctor finds an index with more dimensions than pgvector can index', async () => {
  const wide = await createIndex(database.db, { dimensions: 4_001 });
  expect(await detailsOf(database.db, 'vector-index-impossible')).toEqual([
    `the index ${wide.name} has 4001 dimensions`,
  ]);
});

test('the doctor finds an expired lock', async () => {
  const { db } = database;
  const dest = await createIndex(db);
  const { lock, taskId } = await lockIn(db, index.name, dest.name);
  expect(await detailsOf(db, 'lock-expired')).toBeUndefined();
  await expireLock(db, lock);
  expect(await detailsOf(db, 'lock-expired')).toEqual([expect.stringContaining(`the task ${taskId} on ${index.name}`)]);
});

test('the doctor finds old rows of tasks that Temporal does not know', async () => {
  const { db } = database;
  await stageItems(db, 'old/1', 0, [{ id: 'a' }]);
  await stageItems(db, 'new/1', 0, [{ id: 'a' }]);
  await recordFailed(db, 'older', [{ objectId: 'a', stage: 'embed', reason: 'r', detail: 'd' }]);
  // What follows a source is not a task.
  const { name } = await givenFollowed(db);
  await recordFailed(db, followerIdOf(name), [{ objectId: 'a', stage: 'load', reason: 'r', detail: 'd' }]);
  expect(await detailsOf(db, 'rows-orphaned')).toBeUndefined();
  await sql`update reembed.staged_items set stage_time = now() - interval '2 days' where staging = 'old/1'`.execute(db);
  await sql`update reembed.failed_items set fail_time = now() - interval '2 days'`.execute(db);
  expect(await detailsOf(db, 'rows-orphaned')).toEqual(['the task old', 'the task older']);
});

test('the doctor says which sources have stopped, and what to do', async () => {
  const { db } = database;
  const { no, name } = await givenFollowed(db);
  await setSourceState(db, no, 'stopped', 'by a call');
  const found = (await findings(db)).find(({ check }) => check === 'source-stopped');
  expect(found).toMatchObject({
    severity: 'error',
    todo: expect.stringContaining('reembed sources start'),
    details: [`the source ${name}: by a call`],
  });
});

test('the doctor finds a short retention of Temporal', async () => {
  expect(await detailsOf(database.db, 'retention-short', temporal(3_600))).toEqual([
    'the namespace default keeps them for 3600 s',
  ]);
});

test('the doctor finds a transaction that someone has left open', async () => {
  const { db, url } = database;
  const other = openDatabase({ url, maxConnections: 1 });
  try {
    const open = await other.startTransaction().execute();
    await sql`select 1`.execute(open);
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(open);
    expect(await serverChecks.transactionOld(db, 3_600)).toEqual([]);
    expect(await serverChecks.transactionOld(db, 0)).toContainEqual(expect.stringContaining(`pid ${rows[0]?.pid} (`));
    await open.rollback().execute();
    expect(await serverChecks.transactionOld(db, 0)).toEqual([]);
  } finally {
    await other.destroy();
  }
});

test('the doctor finds that few connections are left', async () => {
  expect(await serverChecks.connectionsFew(database.db, 1)).toEqual([]);
  expect(await serverChecks.connectionsFew(database.db, 0)).toEqual([
    expect.stringMatching(/^\d+ of \d+ connections are used$/),
  ]);
});
