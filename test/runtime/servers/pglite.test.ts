import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PgliteDatabase, startPglite } from '../../../src/runtime/servers/pglite.ts';
import { setUpWhole } from '../../../src/runtime/servers/pglite-draft.ts';
import { freshFolder } from './fixtures/folder.ts';

const say = () => {};

/** Setup takes seconds; the tests that share the database use separate names. */
let database: PgliteDatabase;
beforeAll(async () => {
  database = await startPglite({ dataDir: 'memory', say });
});
afterAll(() => database.stop());

test('commits to the embedded database survive a restart, and its socket is gone', async () => {
  const dataDir = path.join(freshFolder(), 'deep/data');
  const first = await startPglite({ dataDir, say });
  expect(statSync(first.connection.host).mode & 0o777).toBe(0o700);
  const pool = new pg.Pool(first.connection);
  await pool.query('create extension vector');
  await pool.query('create table p (id int primary key, e vector)');
  await pool.query(`insert into p values (1, '[1,0]'), (2, '[0,1]')`);
  await pool.query('create index on p using hnsw ((e::vector(2)) vector_cosine_ops)');
  await pool.end();
  await Promise.all([first.stop(), first.stop()]);
  expect(existsSync(first.connection.host)).toBe(false);

  const second = await startPglite({ dataDir, say });
  const client = new pg.Client({ connectionString: second.url });
  await client.connect();
  const { rows } = await client.query(`select id from p order by e::vector(2) <=> '[0,2]' limit 1`);
  expect(rows).toEqual([{ id: 2 }]);
  await client.end();
  await second.stop();
});

test('many concurrent clients get the answers to their own queries, however large these are', async () => {
  const pool = new pg.Pool({ ...database.connection, max: 8 });
  const large = 'x'.repeat(700_000);
  const wrong: unknown[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async (_, client) => {
      for (let round = 0; round < 25; round += 1) {
        const value = client % 2 ? large : String(round);
        const { rows } = await pool.query(`select length($1::text) as l${client}`, [value]);
        if (rows[0]?.[`l${client}`] !== value.length) wrong.push(rows[0]);
      }
    }),
  );
  expect(wrong).toEqual([]);
  await pool.end();
});

test('a transaction blocks the others until it ends', async () => {
  const pool = new pg.Pool(database.connection);
  await pool.query('create table c (n int); insert into c values (0)');
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = await pool.connect();
      await client.query('begin');
      const { rows } = await client.query('select n from c');
      await client.query('update c set n = $1', [rows[0].n + 1]);
      await client.query('commit');
      client.release();
    }),
  );
  expect((await pool.query('select n from c')).rows).toEqual([{ n: 20 }]);
  await pool.end();
});

test('a client that disconnects in a transaction leaves nothing, and the others continue', async () => {
  const pool = new pg.Pool(database.connection);
  const client = await pool.connect();
  await client.query('begin');
  await client.query('create table half (n int)');
  const waiting = pool.query(`select to_regclass('half') as half`);
  client.release(true);
  expect((await waiting).rows).toEqual([{ half: null }]);
  await pool.end();
});

test('errors reach the client that caused them, with their code, and the next query works', async () => {
  const pool = new pg.Pool({ ...database.connection, max: 1 });
  await expect(pool.query('select $1::int / 0', [1])).rejects.toMatchObject({ code: '22012' });
  await expect(pool.query('selec')).rejects.toMatchObject({ code: '42601' });
  const client = await pool.connect();
  await client.query('begin');
  await expect(client.query('select $1::int', ['a'])).rejects.toMatchObject({ code: '22P02' });
  await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' });
  await client.query('rollback');
  client.release();
  expect((await pool.query('select $1::int as n', [1])).rows).toEqual([{ n: 1 }]);
  await pool.end();
});

test('a long query does not block the event loop', async () => {
  const pool = new pg.Pool(database.connection);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 10);
  await pool.query('select pg_sleep(0.5)');
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(20);
  await pool.end();
});

test('an unsuitable folder is an error that names it', async () => {
  await expect(startPglite({ dataDir: '/dev/null/data', say })).rejects.toThrow(/dev\/null/);
});

test('an interrupted setup of a database leaves nothing, and the next start creates a complete one', async () => {
  const dataDir = path.join(freshFolder(), 'postgres');
  await expect(
    setUpWhole(dataDir, async (folder) => {
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'PG_VERSION'), '18');
      throw new Error('killed');
    }),
  ).rejects.toThrow('killed');
  expect(existsSync(dataDir)).toBe(false);
  const stop = new AbortController();
  const starting = startPglite({ dataDir, say, signal: stop.signal });
  stop.abort(new Error('given up'));
  await expect(starting).rejects.toThrow('given up');
  expect(readdirSync(path.dirname(dataDir))).toEqual([]);

  const started = await startPglite({ dataDir, say });
  expect(readdirSync(path.dirname(dataDir))).toEqual(['postgres']);
  await started.stop();
});

test('a damaged database, another version or another file is a clear error, and stays unchanged', async () => {
  const folder = freshFolder();
  const place = (name: string, files: Record<string, string>) => {
    mkdirSync(path.join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, name, file), text);
    return path.join(folder, name);
  };
  const open = (dataDir: string) => startPglite({ dataDir, say });
  const other = place('other', { 'letter.txt': 'dear' });
  await expect(open(other)).rejects.toThrow(/other: the folder holds something other than a database$/);
  expect(readdirSync(other)).toEqual(['letter.txt']);
  await expect(open(path.join(other, 'letter.txt'))).rejects.toThrow(/letter.txt: it is not a folder$/);
  const damaged = place('damaged', { PG_VERSION: '15\n' });
  await expect(open(damaged)).rejects.toThrow(
    /its files, of Postgres 15, are damaged or of another version .*--data-dir/,
  );
});
