import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import { openDatabase, transaction } from '../../src/store/database.ts';
import { markDeleting } from '../../src/store/indexes.ts';
import { holdGatesExclusive } from '../../src/store/protocol/gate.ts';
import { content, createIndex, lockIn, uniqueName, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenSource, plan, textsOf } from './support.ts';

const HASH = { provider: 'hash', dimensions: 3 } as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

const obstaclesOf = async (body: Parameters<typeof plan>[1]) =>
  (await plan(database.db, { probe: false, ...body })).obstacles.map(({ reason, effect, field }) => [
    reason,
    effect,
    field,
  ]);

test('a lock is in the way: a reindex would wait, or be refused if it asks for that', async () => {
  const { db } = database;
  const [source, other] = [await givenSource(db, textsOf(3)), await createIndex(db)];
  const { taskId } = await lockIn(db, source.name, other.name);
  const body = { source: source.name, dest: uniqueName(), destModel: HASH };
  expect(await obstaclesOf(body)).toEqual([['source-locked-as-source', 'waits', null]]);
  expect(await obstaclesOf({ ...body, onConflict: 'refuse' })).toEqual([['source-locked-as-source', 'refused', null]]);
  // The lock of the same task is in nobody's way.
  expect(await obstaclesOf({ ...body, taskId })).toEqual([]);
});

test('everything in the way is listed, not only the first', async () => {
  const { db } = database;
  const [source, dest] = [await givenSource(db, textsOf(3)), await createIndex(db)];
  await setAlias(db, uniqueName('serving'), dest.name);
  await lockIn(db, source.name, (await createIndex(db)).name);
  const approve = { querySet: 'nowhere' };
  expect(await obstaclesOf({ source: source.name, dest: dest.name, approve })).toEqual([
    ['source-locked-as-source', 'waits', null],
    ['dest-serves', 'refused', null],
    ['QuerySetNotFound', 'refused', 'approve.querySet'],
  ]);
});

test('a destination that is being deleted is in the way', async () => {
  const { db } = database;
  const [source, dest] = [await givenSource(db, textsOf(3)), await createIndex(db)];
  await transaction(db, (trx) => markDeleting(trx, dest.name, { force: false }));
  expect(await obstaclesOf({ source: source.name, dest: dest.name })).toEqual([['dest-deleting', 'refused', null]]);
});

test('a destination with its own content is in the way, unless it is replaced', async () => {
  const { db } = database;
  const [source, dest] = [await givenSource(db, textsOf(3)), await createIndex(db)];
  await writeIn(db, dest, [content('own', 1_000_000)]);
  const body = { source: source.name, dest: dest.name };
  const { obstacles } = await plan(db, body);
  expect(obstacles).toEqual([
    { reason: 'dest-newer', effect: 'refused', field: 'dest', detail: expect.stringMatching(/1 that .*own$/) },
  ]);
  expect(await obstaclesOf({ ...body, destExisting: 'replace' })).toEqual([]);
});

test('a destination with other settings, or with other versions, is in the way', async () => {
  const { db } = database;
  const source = await givenSource(db, textsOf(3));
  const [other, external] = [await createIndex(db), await createIndex(db, { versioning: 'external' })];
  const destModel = { provider: 'hash', dimensions: 5 } as const;
  expect(await obstaclesOf({ source: source.name, dest: other.name, destModel })).toEqual([
    ['IndexExists', 'refused', 'dest'],
  ]);
  expect(await obstaclesOf({ source: source.name, dest: external.name })).toEqual([
    ['InvalidInput', 'refused', 'dest'],
  ]);
});

test('names that are taken are in the way', async () => {
  const { db } = database;
  const [source, other] = [await givenSource(db, textsOf(3)), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, other.name);
  const body = { source: source.name, dest: uniqueName(), destModel: HASH };
  expect(await obstaclesOf({ ...body, alias })).toEqual([['InvalidInput', 'refused', 'alias']]);
  expect(await obstaclesOf({ ...body, alias: other.name })).toEqual([['NameTaken', 'refused', 'alias']]);
  expect(await obstaclesOf({ ...body, dest: alias })).toEqual([['NameTaken', 'refused', 'dest']]);
});

test.each([
  ['a missing source', { source: 'nowhere' }, 'IndexNotFound', 'source'],
  ['a new destination without a model', { destModel: undefined }, 'InvalidInput', 'destModel'],
  [
    'a model that this process does not have',
    { destModel: { provider: 'custom', name: 'x', dimensions: 3 } },
    'InvalidInput',
    'destModel',
  ],
] as const)('%s is refused with the field', async (_case, change, type, field) => {
  const source = await givenSource(database.db, textsOf(1));
  const body = { source: source.name, dest: uniqueName(), destModel: HASH, ...change };
  await expect(plan(database.db, body as never)).rejects.toMatchObject({ type, issues: [{ path: field }] });
});

test('a source is no destination, whatever it is called', async () => {
  const { db } = database;
  const source = await givenSource(db, textsOf(1));
  const alias = uniqueName('alias');
  await setAlias(db, alias, source.name);
  await expect(plan(db, { source: alias, dest: source.name })).rejects.toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'dest' }],
  });
});

test('a plan takes no lock: it does not wait while another session holds both gates', async () => {
  const { db } = database;
  const [source, dest] = [await givenSource(db, textsOf(30)), await createIndex(db)];
  const other = openDatabase({ url: database.url, limits: { idleMs: 120_000 } });
  try {
    await transaction(other, async (trx) => {
      await holdGatesExclusive(trx, source.no, dest.no);
      expect(await plan(db, { source: source.name, dest: dest.name })).toMatchObject({ parts: { value: 30 } });
      const { rows } = await sql<{ count: number }>`
        select count(*) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
          and database = (select oid from pg_database where datname = current_database())`.execute(trx);
      expect(rows[0]?.count).toBe(0);
    });
  } finally {
    await other.destroy();
  }
});
