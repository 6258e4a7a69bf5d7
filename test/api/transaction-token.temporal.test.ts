import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Trx, transaction } from '../../src/store/database.ts';
import { uniqueName } from '../store/builders.ts';
import { openTransaction } from '../store/concurrency.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../workflows/sources/world.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

const WAIT = { timeout: 90 };

/** A followed table with an alias; all is in the index. */
async function givenFollowed(over: Record<string, unknown> = {}) {
  const { reembed, database } = system;
  const [source, alias, index] = [uniqueName('s'), uniqueName('alias'), uniqueName('docs')];
  const table = source.replaceAll('-', '_');
  await reembed.indexes.create(index, { model: { provider: 'hash', dimensions: 16 } });
  await reembed.aliases.set(alias, index);
  await sql
    .raw(`create table ${table} (id int primary key, body text, at timestamptz not null default now())`)
    .execute(database.db);
  await reembed.sources.save(source, { index: alias, table, text: ['body'], ...over });
  return { source, table, alias, index };
}

/** Runs statements in one transaction, and returns its token. */
function write(...statements: string[]): Promise<string> {
  return transaction(system.database.db, (trx) => writeIn(trx, ...statements));
}

async function writeIn(trx: Trx, ...statements: string[]): Promise<string> {
  const { rows } = await sql<{ token: string }>`select reembed.write_token() as token`.execute(trx);
  for (const statement of statements) await sql.raw(statement).execute(trx);
  return rows[0]?.token as string;
}

test('a search after a transaction finds what it changed, at every try and in each index', async () => {
  const [one, other] = [await givenFollowed(), await givenFollowed()];
  const { reembed } = system;
  for (let at = 0; at < 5; at++) {
    const rows = [one, other].map(({ table }) => `insert into ${table} values (${at}, '${at} is a lion')`);
    const after = await write(...rows, `delete from ${one.table} where id = ${at - 1}`);
    for (const { alias } of [one, other]) {
      const { hits } = await reembed.search(alias, { text: `${at} is a lion`, limit: 1, after, timeoutSeconds: 90 });
      expect(hits[0]?.id).toBe(String(at));
    }
    const { hits } = await reembed.search(one.index, { text: 'lion', limit: 100, after, timeoutSeconds: 90 });
    expect(hits.map(({ id }) => id)).toEqual([String(at)]);
  }
});

test('a wait reports a transaction that is still open, and of one that changed nothing', async () => {
  const { table, alias, index } = await givenFollowed();
  const { reembed, database } = system;
  const tokens: string[] = [];
  const open = await openTransaction(database.db, async (trx) => {
    tokens.push(await writeIn(trx, `insert into ${table} values (1, 'a lion')`));
  });
  const [token = ''] = tokens;
  expect(await reembed.awaitWrite(alias, token, { timeout: 0 })).toMatchObject({
    ...{ token, index, searchable: false, ended: false, status: 'processing', detail: 'the transaction has not ended' },
  });
  const waiting = reembed.awaitWrite(alias, token, WAIT);
  await open.commit();
  expect(await waiting).toMatchObject({ searchable: true, ended: true, status: 'done', failed: 0 });
  expect(await reembed.awaitWrite(alias, await write('select 1'), WAIT)).toMatchObject({
    searchable: true,
    status: 'done',
  });
});

test('a transaction that was rolled back is never searchable, and a search after it says so', async () => {
  const { table, alias } = await givenFollowed();
  const tokens: string[] = [];
  const failing = transaction(system.database.db, async (trx) => {
    tokens.push(await writeIn(trx, `insert into ${table} values (1, 'a lion')`));
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  const [token = ''] = tokens;
  const state = { searchable: false, ended: true, status: 'canceled', detail: expect.stringContaining('rolled back') };
  expect(await system.reembed.awaitWrite(alias, token, WAIT)).toMatchObject(state);
  await expect(system.reembed.search(alias, { text: 'lion', after: token })).rejects.toMatchObject({
    type: 'WriteFailed',
  });
});

test('a row that cannot be synced is counted until it was changed again', async () => {
  const { table, alias, source } = await givenFollowed();
  const { reembed } = system;
  const token = await write(`insert into ${table} values (1, repeat('x', 11000000)), (2, 'a lion')`);
  const state = await reembed.awaitWrite(alias, token, WAIT);
  expect(state).toMatchObject({ searchable: false, ended: true, status: 'done', failed: 1 });
  expect(state.detail).toContain(`source~${source}`);
  const failed: unknown[] = [];
  for await (const item of reembed.tasks.failedItems(`source~${source}`)) failed.push(item);
  expect(failed).toEqual([expect.objectContaining({ objectId: '1', reason: 'InvalidInput' })]);
  await expect(reembed.tasks.failedItems('source~other').next()).rejects.toMatchObject({ type: 'TaskNotFound' });
  const again = await write(`update ${table} set body = 'a ship' where id = 1`);
  for (const one of [again, token])
    expect(await reembed.awaitWrite(alias, one, WAIT)).toMatchObject({ searchable: true });
});

test('a transaction on the table of a stopped source is answered at once, and searchable after a start', async () => {
  const { table, alias, source } = await givenFollowed();
  const { reembed } = system;
  await reembed.sources.stop(source);
  const token = await write(`insert into ${table} values (1, 'a lion')`);
  expect(await reembed.awaitWrite(alias, token, WAIT)).toMatchObject({
    ...{ searchable: false, ended: true, status: 'paused', detail: expect.stringContaining(`${source} is stopped`) },
  });
  await reembed.sources.start(source);
  expect(await reembed.awaitWrite(alias, token, WAIT)).toMatchObject({ searchable: true });
});

test('a token that no source of an index can know is refused by its field', async () => {
  const { alias } = await givenFollowed();
  const { alias: polled } = await givenFollowed({ follow: 'poll', updatedAt: 'at' });
  const { reembed } = system;
  const index = uniqueName('docs');
  await reembed.indexes.create(index, { model: { provider: 'hash', dimensions: 16 } });
  const token = await write('select 1');
  const [xid, mark] = [token.split('~')[1], token.split('~')[2]];
  for (const [name, bad, message] of [
    [index, token, 'no source follows a table'],
    [polled, token, 'has no triggers'],
    [alias, `tx~${xid}~00000000`, 'in the database of the source'],
    [alias, `tx~9999999999~${mark}`, 'has begun'],
  ] as const) {
    await expect(reembed.awaitWrite(name, bad)).rejects.toMatchObject({
      type: 'InvalidInput',
      issues: [{ path: 'token', message: expect.stringContaining(message) }],
    });
  }
});

test('the function of the token goes with the last source', async () => {
  const { reembed, database } = system;
  const { source } = await givenFollowed();
  const count = async () =>
    (
      await sql`select to_regproc('reembed.write_token') as name where to_regproc('reembed.write_token') is not null`.execute(
        database.db,
      )
    ).rows.length;
  const rest = (await reembed.sources.list()).filter(({ name }) => name !== source);
  for (const { name } of rest) await reembed.sources.delete(name);
  expect(await count()).toBe(1);
  await reembed.sources.delete(source);
  await until(async () => (await count()) === 0);
});
