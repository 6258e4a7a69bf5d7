import { sql } from 'kysely';
import { expect, inject, it } from 'vitest';
import { openWorkerDatabases } from '../../src/runtime/database.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { silentLog } from '../support/rig.ts';

function openWith(connections: number) {
  const env = { DATABASE_URL: inject('postgresUrl'), REEMBED_DATABASE_CONNECTIONS: String(connections) };
  return openWorkerDatabases(readSettings(env), silentLog);
}

const nameOf = async (db: ReturnType<typeof openWith>['db']) => {
  const { rows } = await sql<{ name: string }>`select current_setting('application_name') as name`.execute(db);
  return rows[0]?.name;
};

it('database connections of a worker are named by purpose', async () => {
  const { db, background, close } = openWith(4);
  expect([await nameOf(db), await nameOf(background)]).toEqual(['reembed', 'reembed background']);
  await close();
});

it('a worker opens no more connections than configured', async () => {
  const { db, background, close } = openWith(5);
  const pids = [db, background].flatMap((pool) =>
    Array.from({ length: 6 }, async () => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid from pg_sleep(0.1)`.execute(pool);
      return rows[0]?.pid;
    }),
  );
  expect(new Set(await Promise.all(pids)).size).toBe(5);
  await close();
});

it('fewer than four connections are not divided', async () => {
  const { db, background, close } = openWith(3);
  expect(background).toBe(db);
  await close();
});
