import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import { LIVE, transaction } from '../../src/store/database.ts';
import { holdGateShared, holdGatesExclusive } from '../../src/store/protocol/gate.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { content, createIndex, rowOf, uniqueName, writeIn } from './builders.ts';
import { untilWaiting } from './concurrency.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

test('a process that freezes between two statements under a gate delays writers of its index for seconds', async () => {
  const { db } = database;
  const [index, other] = [await createIndex(db), await createIndex(db)];
  let thaw = () => {};
  const thawed = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  const frozen = db.transaction().execute(async (trx) => {
    await holdGatesExclusive(trx, index.no);
    await thawed;
    await sql`select 1`.execute(trx);
  });
  await untilHeld(index.no);
  const writing = writeIn(db, index, [content('a', 1)]);
  await untilWaiting(db, 1);
  await writeIn(db, other, [content('a', 1)]);
  await writing; // hangs forever if nothing ends the session
  thaw();
  await expect(frozen).rejects.toThrow();
});

/** A session of the product that is in a transaction with a gate, and has sent half of its next message. */
async function halfSent(url: string, indexNo: number): Promise<pg.Client & { ended: Promise<unknown> }> {
  const client = new pg.Client({ connectionString: url, application_name: LIVE });
  const ended = new Promise((resolve) => client.once('end', resolve));
  client.on('error', () => {});
  await client.connect();
  await client.query('begin');
  await client.query(`select pg_advisory_xact_lock(${0x7265_656d}, ${indexNo})`);
  const { connection } = client as unknown as {
    connection: NodeJS.EventEmitter & { parse(query: object): void; stream: { write(data: Buffer): void } };
  };
  connection.removeAllListeners('parseComplete');
  connection.parse({ name: '', text: 'select $1::text', types: [] });
  connection.stream.write(Buffer.from('B\0\0\x01\0half of it', 'latin1'));
  return Object.assign(client, { ended });
}

test('a process that freezes in mid-message under a gate is cut off by the first waiting session', async () => {
  const { db, url } = database;
  const index = await createIndex(db);
  const frozen = await halfSent(url, index.no);
  await writeIn(db, index, [content('a', 1)]);
  await frozen.ended;
});

async function untilHeld(indexNo: number): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select from pg_locks where locktype = 'advisory' and objid = ${indexNo} and granted`.execute(database.db);
    if (rows.length > 0) return;
  }
}

test('a session that waits for its process without a gate, or is busy, is not ended', async () => {
  const { db, url } = database;
  const index = await createIndex(db);
  const bystander = new pg.Client({ connectionString: url, application_name: LIVE });
  await bystander.connect();
  await bystander.query('begin; select 1');
  const busy = transaction(db, async (trx) => {
    await holdGateShared(trx, index.no);
    await sql`select pg_sleep(5)`.execute(trx);
  });
  await untilHeld(index.no);
  await setAlias(db, uniqueName('alias'), index.name); // times out on the gate first
  await busy;
  expect((await bystander.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
  await bystander.end();
});

test('a transaction whose session was ended while its process was frozen runs again', async () => {
  const { db } = database;
  const index = await createIndex(db);
  let runs = 0;
  await transaction(db, async (trx) => {
    runs++;
    await holdGateShared(trx, index.no);
    if (runs === 1) await new Promise((resolve) => setTimeout(resolve, 3_500));
    await sql`select 1`.execute(trx);
  });
  expect(runs).toBe(2);
  await writeIn(db, index, [content('a', 1)]);
  expect(await rowOf(db, index.no, 'a')).toMatchObject({ version: 1 });
});

test('a transaction that times out on a lock fails with a retryable error', async () => {
  const { db } = database;
  const index = await createIndex(db);
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await holder.query(`begin; select pg_advisory_xact_lock(${0x7265_656d}, ${index.no})`);
  const waiting = transaction(db, (trx) => holdGateShared(trx, index.no), { lockTries: 1 });
  await expect(waiting).rejects.toMatchObject({ code: '55P03' });
  await holder.end();
});

test('each session asks Postgres to detect quickly that its process is gone', async () => {
  const { rows } = await sql<{ interval: string }>`
    select current_setting('client_connection_check_interval') as interval`.execute(database.db);
  expect(rows).toEqual([{ interval: '5s' }]);
});
