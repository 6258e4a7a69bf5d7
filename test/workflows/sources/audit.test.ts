import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scheduleRequestSchema } from '../../../src/contract/schedule-request.ts';
import { resolveIndex } from '../../../src/store/indexes.ts';
import { tablesOf } from '../../../src/store/partitions.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { runSchedule } from '../../../src/temporal/schedules/runs.ts';
import { putSchedule, removeSchedule } from '../../../src/temporal/schedules/schedules.ts';
import { startFollowing } from '../../../src/temporal/sources.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { givenSource, objectsOf, until, untilBrought } from './world.ts';

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

/** A followed table of which all rows are in the index. */
async function givenFollowed(rows: number, { poll = false } = {}) {
  const id = randomUUID().slice(0, 8);
  const [table, alias] = [`audited_${id}`, `audited-${id}`];
  await givenIndex(database.db, `${alias}-v1`, { alias });
  await execute(
    `create table ${table} (id int primary key, body text, lang text, at timestamptz not null default clock_timestamp())`,
  );
  await execute(`insert into ${table} select i, 'body ' || i, 'en' from generate_series(1, ${rows}) i`);
  const definition = { index: alias, table, text: ['body'], metadata: ['lang'] };
  const follow = poll ? { follow: 'poll' as const, updatedAt: 'at' } : {};
  const source = await givenSource(database.db, `a-${id}`, { ...definition, ...follow });
  const { syncTaskId } = await startFollowing(rig.client, { ...source, taskQueue: rig.taskQueue });
  await endOf(rig.client.workflow.getHandle(syncTaskId));
  const index = await resolveIndex(database.db, alias);
  return { table, alias, source, objects: tablesOf(index.no).objects.compile(database.db).sql };
}

const listedOf = async (taskId: string) =>
  (await listFailed(database.db, taskId, { after: null, limit: 100 })).map(({ objectId, reason }) => [
    objectId,
    reason,
  ]);

/** Writes rows of every kind again and again, but none of those up to 20, until it is told to end. */
function write(table: string): { end: () => Promise<void> } {
  let isOver = false;
  const writing = (async () => {
    for (let round = 1; !isOver; round++) {
      await execute(`update ${table} set body = 'round ${round}' where id > 20 and id % 9 = ${round % 9}`);
      await execute(`delete from ${table} where id = ${21 + ((round * 7) % 500)}`);
      await execute(`insert into ${table} values (${10_000 + round}, 'new ${round}', 'de')`);
      await execute(`update ${table} set id = -id, lang = 'fr' where id = ${9_995 + round}`);
      await delay(100);
    }
  })();
  return {
    async end() {
      isOver = true;
      await writing;
    },
  };
}

test('an audit finds what was changed past the follower, and nothing else, while the table is written to', async () => {
  const { table, alias, source, objects } = await givenFollowed(600);
  const writing = write(table);
  try {
    await sql
      .raw(
        [
          'set session_replication_role = replica',
          `update ${table} set body = 'unseen' where id = 1`,
          `delete from ${table} where id = 2`,
          `insert into ${table} values (0, 'unseen', 'en')`,
          `update ${table} set id = -3 where id = 3`,
          'set session_replication_role = origin',
        ].join('; '),
      )
      .execute(database.db);
    await execute(`update ${objects} set payload = '"by hand"' where object_id = '4'`);
    const found = await rig.run('audit', { source: source.name });
    expect(found).toMatchObject({ status: 'done', data: { source: source.name, index: alias, repaired: 0 } });
    expect(await listedOf(found.id)).toEqual([
      ['-3', 'missing'],
      ['0', 'missing'],
      ['1', 'stale'],
      ['2', 'extra'],
      ['3', 'extra'],
      ['4', 'stale'],
    ]);
    const repaired = await rig.run('audit', { source: source.name, repair: true });
    expect(repaired).toMatchObject({ status: 'done', data: { broken: 6, repaired: 6, failed: 0 } });
  } finally {
    await writing.end();
  }
  await untilBrought(database.db, source);
  const { rows } = await sql<{ line: string }>`
    select jsonb_build_array(id::text, body, jsonb_build_object('lang', lang))::text as line
    from ${sql.table(table)}`.execute(database.db);
  const wanted = rows.map(({ line }) => JSON.stringify(JSON.parse(line)));
  expect(await objectsOf(database.db, alias)).toEqual(wanted.sort());
});

test('a schedule starts the audit of a source', async () => {
  const { table, source } = await givenFollowed(5);
  await execute(`alter table ${table} disable trigger user`);
  await execute(`delete from ${table} where id = 1`);
  await execute(`alter table ${table} enable trigger user`);
  const signature = { taskQueue: rig.taskQueue, name: 'nightly', key: source.name };
  const request = { type: 'audit', every: '@daily', input: { source: source.name } };
  await putSchedule(rig.client, { ...scheduleRequestSchema.parse(request), ...signature });
  const { taskId } = await runSchedule(rig.client, signature);
  const tracker = await endOf(rig.client.workflow.getHandle(`${taskId}`));
  await removeSchedule(rig.client, signature);
  expect(tracker).toMatchObject({ type: 'audit', status: 'done', data: { source: source.name, found: { extra: 1 } } });
});

test('an audit removes what was deleted from a polled table, and reports no row that the poll is about to bring', async () => {
  const { table, alias, source } = await givenFollowed(300, { poll: true });
  await execute(`delete from ${table} where id = 1`);
  await execute(`update ${table} set body = 'unseen', at = at - interval '1 day' where id = 2`);
  let isOver = false;
  const writing = (async () => {
    for (let round = 1; !isOver; round++) {
      await execute(
        `update ${table} set body = 'round ${round}', at = clock_timestamp() where id > 20 and id % 9 = ${round % 9}`,
      );
      await delay(50);
    }
  })();
  const tracker = await rig.run('audit', { source: source.name, repair: true }).finally(() => {
    isOver = true;
    return writing;
  });
  expect(tracker).toMatchObject({ status: 'done', data: { found: { extra: 1, stale: 1 }, repaired: 2, failed: 0 } });
  await until(async () => (await objectsOf(database.db, alias)).includes('["2","unseen",{"lang":"en"}]'));
});
