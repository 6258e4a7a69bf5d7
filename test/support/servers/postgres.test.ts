import path from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { isThere } from '../../runtime/servers/fixtures/child.ts';
import { freshFolder } from '../../runtime/servers/fixtures/folder.ts';
import { startPostgres } from './postgres.ts';

const env = process.env;
const say = () => {};

async function ask<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('Postgres has pgvector, listens on loopback only, and keeps commits across stop and crash', async () => {
  const dataDir = path.join(freshFolder(), 'pg');
  const first = await startPostgres({ dataDir, env, say });
  await ask(first.url, `create extension vector; create table p (id int, e vector); insert into p values (1, '[1,0]')`);
  expect(await ask(first.url, `select current_setting('listen_addresses') as l`)).toEqual([{ l: '127.0.0.1' }]);
  await first.stop();
  expect(await isThere(first.pid)).toBe(false);

  const second = await startPostgres({ dataDir, env, say });
  await ask(second.url, `insert into p values (2, '[0,1]')`);
  await second.kill();
  expect(await isThere(second.pid)).toBe(false);

  const third = await startPostgres({ dataDir, env, say });
  expect(await ask(third.url, `select id from p order by e::vector(2) <=> '[0,2]'`)).toEqual([{ id: 2 }, { id: 1 }]);
  await third.stop();
});

test('several servers run at once, each with its own settings, even if all ask for the same port', async () => {
  const port = 23_400 + Math.floor(Math.random() * 1_000);
  const servers = await Promise.all(
    [1, 2].map((n) =>
      startPostgres({
        dataDir: path.join(freshFolder(), 'pg'),
        port,
        durable: n === 2,
        settings: { work_mem: `${n}MB` },
        env,
        say,
      }),
    ),
  );
  const answers = await Promise.all(
    servers.map(({ url }) => ask(url, `select current_setting('work_mem') as w, current_setting('fsync') as f`)),
  );
  expect(answers.flat()).toEqual([
    { w: '1MB', f: 'off' },
    { w: '2MB', f: 'on' },
  ]);
  expect(new Set(servers.map(({ url }) => url)).size).toBe(2);
  await Promise.all(servers.map((server) => server.stop()));
});

test('a second server on the same folder is refused', async () => {
  const dataDir = path.join(freshFolder(), 'pg');
  const first = await startPostgres({ dataDir, env, say });
  await expect(startPostgres({ dataDir, env, say })).rejects.toMatchObject({ name: 'DataDirInUse' });
  await first.stop();
});

test('a server that ends by itself is reported', async () => {
  const server = await startPostgres({ dataDir: path.join(freshFolder(), 'pg'), env, say });
  process.kill(server.pid, 'SIGKILL');
  expect(await server.died).toMatchObject({ name: 'ServerUnavailable', message: expect.stringContaining('SIGKILL') });
});
