import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/contract/canonical-json.ts';
import { followerIdOf } from '../../../src/contract/names.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { follow, startFollowing, stopFollowing } from '../../../src/temporal/sources.ts';
import { openTransaction } from '../../store/concurrency.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { givenSource, objectsOf, stateOf, until, untilBrought } from './world.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db, databaseUrl: database.url });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const execute = (statement: string) => sql.raw(statement).execute(database.db);

/** A followed table of articles with an alias; `docs` is the alias. */
async function givenFollowed({ partitioned = false } = {}) {
  const id = randomUUID().slice(0, 8);
  const [table, alias, index] = [`articles_${id}`, `docs-${id}`, `docs-${id}-v1`];
  await givenIndex(database.db, index, { alias });
  await execute(
    `create table ${table} (id int primary key, title text, body text, lang text, price numeric, hidden boolean not null default false)${partitioned ? ' partition by range (id)' : ''}`,
  );
  if (partitioned) {
    await execute(`create table ${table}_a partition of ${table} for values from (minvalue) to (50)`);
    await execute(`create table ${table}_b partition of ${table} for values from (50) to (maxvalue)`);
  }
  const source = await givenSource(database.db, `s-${id}`, {
    index: alias,
    table,
    text: ['title', 'body'],
    metadata: ['lang', 'price'],
    where: { hidden: false },
  });
  await follow(rig.client, { ...source, taskQueue: rig.taskQueue });
  return { table, alias, index, source };
}

/** What the index must have, read from the table. */
async function rowsOf(table: string): Promise<string[]> {
  const { rows } = await sql<{ id: string; title: string | null; body: string | null; metadata: never }>`
    select id::text as id, title, body, jsonb_build_object('lang', lang, 'price', price) as metadata
    from ${sql.table(table)}
    where not hidden and coalesce(title, '') || coalesce(body, '') <> ''`.execute(database.db);
  return rows
    .map(({ id, title, body, metadata }) =>
      canonicalJson([id, [title, body].filter((text) => text).join('\n\n'), metadata]),
    )
    .sort();
}

test.each([{ partitioned: false }, { partitioned: true }])(
  'a followed table and its index are equal after DML of every kind (%j)',
  async ({ partitioned }) => {
    const { table, alias, source } = await givenFollowed({ partitioned });
    const statements = [
      `insert into ${table} select i, 'title ' || i, 'body ' || i, 'en', i, false from generate_series(1, 100) i`,
      `update ${table} set body = 'changed' where id % 3 = 0`,
      `update ${table} set hidden = true where id % 7 = 0`,
      `update ${table} set price = price + 0.5 where id % 5 = 0`,
      `update ${table} set id = id + 1000 where id between 40 and 60`,
      `delete from ${table} where id % 11 = 0`,
      `insert into ${table} values (1, 'again', null, 'de', 1, false) on conflict (id) do update set title = excluded.title, body = null`,
      `update ${table} set title = null, body = '' where id = 2`,
      `insert into ${table} values (5000, 'a''b"c\\d', E'tab\\there', null, 12345678901234567890.5, false)`,
      `merge into ${table} t using (values (3), (6000)) as v (id) on t.id = v.id
        when matched then delete when not matched then insert values (v.id, 'merged', 'in', 'fr', null, false)`,
    ];
    for (const statement of statements) await execute(statement);
    await untilBrought(database.db, source);
    const objects = await objectsOf(database.db, alias);
    expect(objects.length).toBeGreaterThan(60);
    const wanted = (await rowsOf(table)).map((row) =>
      // Numbers that JSON readers would round are texts.
      row.replace('12345678901234567000', '"12345678901234567890.5"'),
    );
    expect(objects).toEqual(wanted);
  },
);

test('a truncated table empties its index, and rows written after it are found', async () => {
  const { table, alias, source } = await givenFollowed();
  await execute(`insert into ${table} select i, 'title ' || i, 'body', 'en', i from generate_series(1, 700) i`);
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toHaveLength(700);
  await execute(`truncate ${table}`);
  await execute(`insert into ${table} values (3, 'three', 'new', 'en', 3)`);
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toEqual(await rowsOf(table));
});

test('a stopped source writes nothing, and continues with what came meanwhile', async () => {
  const { table, alias, source } = await givenFollowed();
  await until(async () => (await stateOf(database.db, source.no))?.state === 'following');
  expect(await stopFollowing(rig.client, source)).toBe(true);
  await execute(`insert into ${table} values (1, 'one', 'new', 'en', 3)`);
  expect(await objectsOf(database.db, alias)).toEqual([]);
  await follow(rig.client, { ...source, taskQueue: rig.taskQueue });
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toEqual(await rowsOf(table));
  const { status } = await rig.client.workflow.getHandle(followerIdOf(source.name)).describe();
  expect(status.name).toBe('RUNNING');
});

test('a definition that changes while its table is followed counts for every row once it was synced', async () => {
  const { table, alias, source } = await givenFollowed();
  await execute(`insert into ${table} select i, 'title ' || i, 'body', 'en', i from generate_series(1, 600) i`);
  await untilBrought(database.db, source);
  const definition = { index: alias, table, text: { template: '{title}!' }, metadata: [], where: { id: { lte: 300 } } };
  await execute(
    `update reembed.sources set definition = '${JSON.stringify({ ...definition, follow: 'triggers' })}', update_time = clock_timestamp() where no = ${source.no}`,
  );
  const { syncTaskId } = await startFollowing(rig.client, { ...source, taskQueue: rig.taskQueue });
  await execute(`update ${table} set title = 'new' where id % 2 = 0`);
  const tracker = await endOf(rig.client.workflow.getHandle(syncTaskId));
  await untilBrought(database.db, source);
  expect(tracker).toMatchObject({ status: 'done', progress: { done: 600, total: 600 }, data: { place: null } });
  const wanted = Array.from({ length: 300 }, (_, at) => at + 1).map((id) =>
    canonicalJson([String(id), id % 2 === 0 ? 'new!' : `title ${id}!`, {}]),
  );
  expect(await objectsOf(database.db, alias)).toEqual(wanted.sort());
});

test('a sync brings what came before the triggers, deletes what has no row, and names the rows that fail', async () => {
  const { table, alias, source } = await givenFollowed();
  await stopFollowing(rig.client, source);
  await rig.run('upsert', {
    index: alias,
    items: [
      { id: '77', payload: 'of no row' },
      { id: 'odd', payload: 'too' },
    ],
  });
  await execute(`alter table ${table} disable trigger user`);
  await execute(`insert into ${table} select i, 'title ' || i, 'body', 'en', i from generate_series(1, 20) i`);
  await execute(`insert into ${table} values (21, 'large', repeat('x', 11000000), 'en', 1)`);
  const tracker = await rig.run('sync', { source: source.name, ratePerSecond: 100_000 });
  expect(tracker).toMatchObject({
    status: 'done',
    data: { written: 20, deleted: 2, failed: 1 },
    progress: { done: 21, total: 21, failed: 1 },
  });
  expect(await objectsOf(database.db, alias)).toEqual((await rowsOf(table)).filter((row) => !row.startsWith('["21"')));
  expect(await listFailed(database.db, tracker.id, { after: null, limit: 10 })).toMatchObject([
    { objectId: '21', reason: 'InvalidInput', detail: 'the text is larger than 10 MB' },
  ]);
});

test('a table is followed while its index is rebuilt, to and fro', { timeout: 300_000 }, async () => {
  const { table, alias, index, source } = await givenFollowed();
  await execute(`insert into ${table} select i, 'title ' || i, 'body', 'en', i from generate_series(1, 300) i`);
  let isOver = false;
  const writer = async () => {
    for (let round = 0; !isOver; round++) {
      await execute(`update ${table} set body = 'round ${round}' where id % 7 = ${round % 7}`);
      await execute(`delete from ${table} where id = ${(round * 13) % 300}`);
      await execute(`insert into ${table} values (${1_000 + round}, 'new', 'row', 'de', 2)`);
      await delay(30);
    }
  };
  const writing = writer();
  const ends: string[] = [];
  try {
    const destModel = { provider: 'hash' as const, name: 'hash-v1', dimensions: 16 };
    ends.push((await rig.run('reindex', { source: alias, dest: `${index}-b`, destModel })).status);
    ends.push((await rig.run('reindex', { source: alias, dest: index })).status);
  } finally {
    isOver = true;
    await writing;
  }
  await untilBrought(database.db, source);
  expect(ends).toEqual(['done', 'done']);
  expect(await objectsOf(database.db, alias)).toEqual(await rowsOf(table));
});

test('a change of a transaction that commits late, after others were brought, is brought too', async () => {
  const { table, alias, source } = await givenFollowed();
  const late = await openTransaction(database.db, async (trx) => {
    await sql.raw(`insert into ${table} values (1, 'late', 'row', 'en', 1)`).execute(trx);
  });
  await execute(`insert into ${table} values (2, 'early', 'row', 'en', 1)`);
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toHaveLength(1);
  await late.commit();
  await untilBrought(database.db, source);
  expect(await objectsOf(database.db, alias)).toEqual(await rowsOf(table));
});

test('a dropped table and a dropped column stop their source, with a reason', async () => {
  const [one, other] = [await givenFollowed(), await givenFollowed()];
  await execute(`drop table ${one.table}`);
  await execute(`alter table ${other.table} drop column body`);
  await execute(`insert into ${other.table} values (1, 'title', 'en', 1)`);
  for (const { source } of [one, other]) {
    await until(async () => (await stateOf(database.db, source.no))?.state === 'stopped');
    const { reason } = (await stateOf(database.db, source.no)) ?? {};
    expect(reason).toMatch(source === one.source ? /table/ : /body/);
  }
});

test('a source whose index was deleted stops, even if another index gets its name', async () => {
  const id = randomUUID().slice(0, 8);
  const [table, index] = [`of_deleted_${id}`, `deleted-${id}`];
  const { no } = await givenIndex(database.db, index);
  await execute(`create table ${table} (id int primary key, body text)`);
  await execute(`insert into ${table} values (1, 'one')`);
  const source = await givenSource(database.db, `d-${id}`, { index, table, text: ['body'] });
  await execute(`update reembed.sources set resolved = resolved || '{"indexNo": ${no}}' where no = ${source.no}`);
  const { syncTaskId } = await startFollowing(rig.client, { ...source, taskQueue: rig.taskQueue });
  await endOf(rig.client.workflow.getHandle(syncTaskId));
  expect(await objectsOf(database.db, index)).toEqual(['["1","one",{}]']);
  expect(await rig.run('delete-index', { index })).toMatchObject({ status: 'done' });
  await givenIndex(database.db, index);
  await execute(`insert into ${table} values (2, 'two')`);
  const state = () => stateOf(database.db, source.no);
  await until(async () => (await state())?.state === 'stopped', state);
  expect((await state())?.reason).toMatch(/^index-deleted: /);
  expect(await objectsOf(database.db, index)).toEqual([]);
});

test('a table without triggers is polled by the time of its rows, of transactions that commit late too', async () => {
  const id = randomUUID().slice(0, 8);
  const [table, index] = [`polled_${id}`, `polled-${id}`];
  await givenIndex(database.db, index);
  await execute(`create table ${table} (id int primary key, body text, at timestamptz not null default now())`);
  await execute(`insert into ${table} values (1, 'one'), (2, 'two')`);
  const definition = { index, table, text: ['body'], follow: 'poll' as const, updatedAt: 'at' };
  const source = await givenSource(database.db, `p-${id}`, definition);
  const { syncTaskId } = await startFollowing(rig.client, { ...source, taskQueue: rig.taskQueue });
  await endOf(rig.client.workflow.getHandle(syncTaskId));
  const late = await openTransaction(database.db, (trx) =>
    sql.raw(`insert into ${table} values (3, 'late')`).execute(trx),
  );
  await execute(`update ${table} set body = 'new', at = clock_timestamp() where id = 1`);
  const isThere = (line: string) => async () => (await objectsOf(database.db, index)).includes(line);
  await until(isThere('["1","new",{}]'), () => stateOf(database.db, source.no));
  await late.commit();
  await until(isThere('["3","late",{}]'));
  expect(await objectsOf(database.db, index)).toEqual(['["1","new",{}]', '["2","two",{}]', '["3","late",{}]']);
});
