import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followerIdOf } from '../../../src/contract/names.ts';
import { type Db, openDatabase } from '../../../src/store/database.ts';
import { findSource, setSourceState } from '../../../src/store/sources/rows.ts';
import { follow, startFollowing } from '../../../src/temporal/sources.ts';
import { DatabaseProxy } from '../../support/database-proxy.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { givenSource, objectsOf, stateOf, until, untilBrought } from './world.ts';

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
/** Another database, which is reached through the proxy as SHOP, and by a role with few rights as LIMITED. */
let shop: TestDatabase;
let proxy: DatabaseProxy;
let limited: Db;
let rig: Rig;
const role = `follower_${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  [environment, database, shop] = await Promise.all([
    startTemporal('dev'),
    openPostgresDatabase(),
    openPostgresDatabase(),
  ]);
  proxy = await DatabaseProxy.start(shop.url);
  await inShop(`create role ${role} login password 'secret'`);
  await inShop(`grant usage, create on schema reembed to ${role}`);
  const url = new URL(shop.url);
  url.username = role;
  url.password = 'secret';
  limited = openDatabase({ url: url.href, maxConnections: 1 });
  rig = await startRig({
    environment,
    db: database.db,
    databaseUrl: database.url,
    sourceUrls: { SHOP: proxy.url, LIMITED: url.href },
    sourceSilentMs: 2_000,
  });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await limited?.destroy();
  await proxy?.stop();
  await inShop(`drop owned by ${role} cascade`);
  await inShop(`drop role ${role}`);
  await Promise.all([database?.close(), shop?.close()]);
});

const inShop = (statement: string) => sql.raw(statement).execute(shop.db);

/** A table of the shop with one row, which is in the index of the source. */
async function givenFollowed(connectionEnv: 'SHOP' | 'LIMITED') {
  const id = randomUUID().slice(0, 8);
  const [table, index] = [`products_${id}`, `shop-${id}`];
  await givenIndex(database.db, index);
  await inShop(`create table ${table} (id int primary key, body text)`);
  await inShop(`grant select, trigger on ${table} to ${role}`);
  const definition = { index, table, text: ['body'], connectionEnv };
  const owner = connectionEnv === 'SHOP' ? shop.db : limited;
  const source = await givenSource(database.db, `s-${id}`, definition, undefined, owner);
  const start = { ...source, taskQueue: rig.taskQueue };
  await follow(rig.client, start);
  await inShop(`insert into ${table} values (1, 'one')`);
  await untilBrought(shop.db, source);
  return { table, index, source, start };
}

const explain = (no: number) => () => stateOf(database.db, no);

test('a source whose database is away waits, says since when and what to do, and loses nothing', async () => {
  const { table, index, source } = await givenFollowed('SHOP');
  const waits = async (reason: RegExp) => {
    const found = await findSource(database.db, source.name);
    return found?.state === 'waiting' && reason.test(found.reason ?? '') ? found.stateTime.toISOString() : undefined;
  };
  proxy.silence();
  await inShop(`insert into ${table} values (2, 'two')`);
  await inShop(`update ${table} set body = 'changed' where id = 1`);
  let since: string | undefined;
  await until(async () => {
    since = await waits(/no answer for 2 s/);
    return since !== undefined;
  }, explain(source.no));
  await proxy.refuse();
  await inShop(`insert into ${table} values (3, 'three')`);
  await inShop(`delete from ${table} where id = 2`);
  const refused =
    /^DatabaseUnavailable: the database does not answer \(.*ECONNREFUSED.*\): check the server and the address in SHOP\. Changes are still recorded there\. The source continues by itself/;
  await until(async () => (await waits(refused)) === since, explain(source.no));
  await proxy.open();
  await untilBrought(shop.db, source);
  await until(async () => (await stateOf(database.db, source.no))?.state === 'following', explain(source.no));
  expect(await stateOf(database.db, source.no)).toEqual({ state: 'following', reason: null });
  expect(await objectsOf(database.db, index)).toEqual(['["1","changed",{}]', '["3","three",{}]']);
});

test.each([
  [
    'on the table',
    (table: string) => [`revoke select on ${table} from ${role}`, `grant select on ${table} to ${role}`],
  ],
  [
    'on the schema of the outbox',
    () => [`revoke usage on schema reembed from ${role}`, `grant usage on schema reembed to ${role}`],
  ],
] as const)(
  'a source whose role loses its rights %s stops and says which, while writes continue, and brings all once it has them again',
  async (_what, statementsOf) => {
    const { table, index, source, start } = await givenFollowed('LIMITED');
    const [revoke, grant] = statementsOf(table);
    await inShop(revoke as string);
    await inShop(`insert into ${table} values (2, 'two')`);
    await inShop(`update ${table} set body = 'changed' where id = 1`);
    await until(async () => (await stateOf(database.db, source.no))?.state === 'stopped', explain(source.no));
    expect((await stateOf(database.db, source.no))?.reason).toMatch(
      /^(no-rights: permission denied for .*: grant what the role|table-changed: the role of the connection has no right)/,
    );
    await inShop(grant as string);
    await setSourceState(database.db, source.no, 'starting');
    const { syncTaskId } = await startFollowing(rig.client, start);
    await endOf(rig.client.workflow.getHandle(syncTaskId));
    await untilBrought(shop.db, source);
    expect(await objectsOf(database.db, index)).toEqual(['["1","changed",{}]', '["2","two",{}]']);
  },
);

test('maintenance starts the follower of a source that nobody follows, also while its database is away', async () => {
  const { table, index, source } = await givenFollowed('SHOP');
  await rig.client.workflow.getHandle(followerIdOf(source.name)).terminate('as by hand');
  await inShop(`insert into ${table} values (2, 'two')`);
  await proxy.refuse();
  await rig.client.workflow.execute('maintain', { workflowId: 'maintenance', taskQueue: rig.taskQueue });
  const { status } = await rig.client.workflow.getHandle(followerIdOf(source.name)).describe();
  expect(status.name).toBe('RUNNING');
  await proxy.open();
  await untilBrought(shop.db, source);
  expect(await objectsOf(database.db, index)).toEqual(['["1","one",{}]', '["2","two",{}]']);
});
