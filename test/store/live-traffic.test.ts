import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { hasLiveWork } from '../../src/store/live-traffic.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';

let database: TestDatabase;
let background: TestDatabase['db'];
beforeAll(async () => {
  database = await openPostgresDatabase();
  background = openDatabase({ url: database.url, background: true });
});
afterAll(async () => {
  await background?.destroy();
  await database?.close();
});

const untilIdle = () => vi.waitFor(async () => expect(await hasLiveWork(background, 50)).toBe(false), 90_000);

it('live work is seen while it runs and for a while after', async () => {
  await untilIdle();
  const working = sql`select pg_sleep(0.5)`.execute(database.db);
  await vi.waitFor(async () => expect(await hasLiveWork(background, 0)).toBe(true), 90_000);
  await working;
  expect(await hasLiveWork(background, 600_000)).toBe(true);
  await untilIdle();
});

it('background work is not seen as live work', async () => {
  await untilIdle();
  const working = sql`select pg_sleep(0.5)`.execute(background);
  expect(await hasLiveWork(background, 50)).toBe(false);
  await working;
});
