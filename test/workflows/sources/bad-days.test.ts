import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/contract/canonical-json.ts';
import { ReembedError } from '../../../src/contract/errors.ts';
import { followerIdOf } from '../../../src/contract/names.ts';
import type { SourceDefinitionInput } from '../../../src/contract/sources.ts';
import { setAlias } from '../../../src/store/aliases.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { follow, startFollowing } from '../../../src/temporal/sources.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { givenSource, objectsOf, stateOf, until, untilBrought } from './world.ts';

const MAX_CHANGES = 2_000;

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({
    environment,
    db: database.db,
    databaseUrl: database.url,
    settings: { sourceMaxChanges: MAX_CHANGES },
    embedder: (_config, usual) => ({
      ...usual,
      async embed(texts, options) {
        if (texts.some((text) => text.includes('refused')))
          throw new ReembedError('ModelRejectedInput', 'not this one');
        return usual.embed(texts, options);
      },
    }),
  });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const execute = (statement: string) => sql.raw(statement).execute(database.db);

/** A table with an alias whose source nobody follows yet. */
async function given(over: Partial<SourceDefinitionInput> = {}, key = { name: 'id', type: 'text' }) {
  const id = randomUUID().slice(0, 8);
  const [table, alias] = [`bad_${id}`, `bad-${id}`];
  await givenIndex(database.db, `${alias}-v1`, { alias });
  await execute(`create table ${table} (id text primary key, body text)`);
  const source = await givenSource(database.db, `b-${id}`, { index: alias, table, text: ['body'], ...over }, [key]);
  const start = { ...source, taskQueue: rig.taskQueue };
  return {
    table,
    alias,
    source,
    follow: () => follow(rig.client, start),
    restart: () => startFollowing(rig.client, start),
  };
}

const stateIs = async (no: number, state: string) => (await stateOf(database.db, no))?.state === state;

test('rows that cannot be synced fail alone, with their reasons, and are synced once they can', async () => {
  const { table, alias, source, follow } = await given();
  await follow();
  await execute(
    `insert into ${table} values ('a', 'whole'), ('b', 'refused'), ('c', repeat('x', 20000000)), (repeat('k', 1024), 'long'), ('d', null), ('e', 'whole')`,
  );
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toEqual(['["a","whole",{}]', '["e","whole",{}]']);
  const failed = () => listFailed(database.db, followerIdOf(source.name), { after: null, limit: 10 });
  expect((await failed()).map(({ objectId, reason }) => [objectId.slice(0, 2), reason])).toEqual([
    ['b', 'ModelRejectedInput'],
    ['c', 'InvalidInput'],
    ['kk', 'InvalidInput'],
  ]);
  await execute(`update ${table} set body = 'mended' where id in ('b', 'c')`);
  await execute(`delete from ${table} where length(id) > 512`);
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toEqual([
    '["a","whole",{}]',
    '["b","mended",{}]',
    '["c","mended",{}]',
    '["e","whole",{}]',
  ]);
  expect((await failed()).map(({ objectId }) => objectId.slice(0, 2))).not.toContain('b');
});

test('a source with too many changes stops and frees its outbox, and says so; writes of the user continue', async () => {
  const { table, source, follow } = await given();
  await execute(`insert into ${table} select i::text, 'body ' || i from generate_series(1, ${MAX_CHANGES + 1}) i`);
  await follow();
  await until(
    () => stateIs(source.no, 'stopped'),
    () => stateOf(database.db, source.no),
  );
  expect((await stateOf(database.db, source.no))?.reason).toContain('more than REEMBED_SOURCE_MAX_CHANGES');
  await untilBrought(database.db, source);
  await execute(`update ${table} set body = 'after it'`);
  await untilBrought(database.db, source);
});

test('a source whose table is renamed stops with that reason, and brings all once it has its name again', async () => {
  const { table, alias, source, follow, restart } = await given();
  await execute(`insert into ${table} values ('a', 'one')`);
  await follow();
  await untilBrought(database.db, source);
  await execute(`alter table ${table} rename to ${table}_away`);
  await until(
    () => stateIs(source.no, 'stopped'),
    () => stateOf(database.db, source.no),
  );
  expect((await stateOf(database.db, source.no))?.reason).toContain('was renamed to');
  await execute(`insert into ${table}_away values ('b', 'two')`);
  await execute(`alter table ${table}_away rename to ${table}`);
  await execute(`update reembed.sources set state = 'starting', reason = null where no = ${source.no}`);
  const { syncTaskId } = await restart();
  await endOf(rig.client.workflow.getHandle(syncTaskId));
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toEqual(['["a","one",{}]', '["b","two",{}]']);
});

test('a source whose database drops its sessions waits, and misses no change', async () => {
  const { table, alias, source, follow } = await given();
  await follow();
  for (let round = 0; round < 5; round++) {
    // The sessions of this test end too.
    const statement = `insert into ${table} values ('r${round}', 'round ${round}') on conflict do nothing`;
    await until(() =>
      execute(statement).then(
        () => true,
        () => false,
      ),
    );
    await sql`
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`
      .execute(database.db)
      .catch(() => {});
  }
  await until(async () => (await objectsOf(database.db, alias).catch(() => [])).length === 5);
  await untilBrought(database.db, source);
});

test('a source of an alias that is moved by hand writes all rows to the other index, and deletes what has no row', async () => {
  const { table, alias, source, follow } = await given();
  await follow();
  await execute(`insert into ${table} values ('a', 'one')`);
  await untilBrought(database.db, source);
  const other = `${alias}-v2`;
  await givenIndex(database.db, other);
  await rig.run('upsert', { index: other, items: [{ id: 'of-nobody', payload: 'left over' }] });
  await setAlias(database.db, alias, other, { force: true });
  await execute(`insert into ${table} values ('b', 'two')`);
  await until(
    async () =>
      canonicalJson(await objectsOf(database.db, other)) === canonicalJson(['["a","one",{}]', '["b","two",{}]']),
    () => objectsOf(database.db, other),
  );
});

test('values that a change of the definition changed are written, though no row was', async () => {
  const { table, alias, source, follow } = await given();
  await follow();
  await execute(`insert into ${table} values ('a', 'one'), ('b', 'two')`);
  await untilBrought(database.db, source);
  await execute(`alter table ${table} alter column body type text using upper(body)`);
  await until(
    async () =>
      canonicalJson(await objectsOf(database.db, alias)) === canonicalJson(['["a","ONE",{}]', '["b","TWO",{}]']),
    () => objectsOf(database.db, alias),
  );
  expect(await stateIs(source.no, 'following')).toBe(true);
});

test('two sources that a moved alias brings to one index stop, and neither deletes the objects of the other', async () => {
  const [one, other] = [await given(), await given()];
  for (const { table, source, follow } of [one, other]) {
    await follow();
    await execute(`insert into ${table} values ('of ${source.name}', 'text')`);
    await untilBrought(database.db, source);
  }
  await setAlias(database.db, one.alias, `${other.alias}-v1`, { force: true });
  for (const { source } of [one, other]) {
    await until(
      () => stateIs(source.no, 'stopped'),
      () => stateOf(database.db, source.no),
    );
    expect((await stateOf(database.db, source.no))?.reason).toMatch(
      /^index-shared: the source b-.* writes to the index/,
    );
  }
  const sync = await rig.run('sync', { source: one.source.name });
  expect(sync).toMatchObject({ status: 'failed', detail: expect.stringContaining('each would delete the objects') });
  expect(await objectsOf(database.db, other.alias)).toEqual([`["of ${other.source.name}","text",{}]`]);
  await setAlias(database.db, one.alias, `${one.alias}-v1`, { force: true });
  for (const { table, source, restart } of [one, other]) {
    await execute(`insert into ${table} values ('later', 'text')`);
    await execute(`update reembed.sources set state = 'starting', reason = null where no = ${source.no}`);
    await endOf(rig.client.workflow.getHandle((await restart()).syncTaskId));
    await untilBrought(database.db, source);
    expect(await objectsOf(database.db, source === one.source ? one.alias : other.alias)).toEqual([
      '["later","text",{}]',
      `["of ${source.name}","text",{}]`,
    ]);
  }
});
