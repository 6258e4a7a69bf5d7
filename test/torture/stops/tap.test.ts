import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { type Statement, Tap, type Where } from './tap.ts';

let database: TestDatabase;
let tap: Tap;
let url: string;
beforeAll(async () => {
  database = await openPostgresDatabase();
  const target = new URL(database.url);
  tap = new Tap(target.hostname, Number(target.port));
  target.port = String(await tap.start());
  url = target.href;
});
afterAll(async () => {
  await tap?.stop();
  await database?.close();
});

async function connected(application: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: application });
  await client.connect();
  return client;
}

test('each statement is seen with the earlier statements of its transaction', async () => {
  const seen: Statement[] = [];
  tap.choose = (statement) => {
    seen.push({ ...statement, before: [...statement.before] });
    return null;
  };
  const client = await connected('seen');
  await client.query('begin');
  expect((await client.query('select $1::int as one', [1])).rows).toEqual([{ one: 1 }]);
  await client.query('commit');
  await client.query('select 2');
  await client.end();
  expect(seen).toEqual([
    { sql: 'begin', application: 'seen', before: [] },
    { sql: 'select $1::int as one', application: 'seen', before: ['begin'] },
    { sql: 'commit', application: 'seen', before: ['begin', 'select $1::int as one'] },
    { sql: 'select 2', application: 'seen', before: [] },
  ]);
});

/** Runs a statement that is stopped; it gets no answer before it may continue. */
async function runStopped(where: Where, query: pg.QueryConfig): Promise<unknown[]> {
  const client = await connected(`stopped ${where}`);
  await client.query('begin');
  let isStopped = () => {};
  const stopped = new Promise<void>((resolve) => {
    isStopped = resolve;
  });
  let go = () => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  tap.choose = ({ sql }) => {
    if (!sql.includes('marked')) return null;
    isStopped();
    return { where, until };
  };
  let isAnswered = false;
  const answer = client.query(query).finally(() => {
    isAnswered = true;
  });
  await stopped;
  // Postgres has done other work by then, so it would have answered.
  const other = await connected('other');
  await other.query('select 1');
  await other.end();
  expect(isAnswered).toBe(false);
  go();
  const { rows } = await answer;
  await client.query('commit');
  await client.end();
  return rows;
}

test.for(['before', 'within', 'after'] as const)(
  'a statement that is stopped %s its end continues unharmed',
  async (where) => {
    expect(await runStopped(where, { text: 'select $1::text as marked', values: ['yes'] })).toEqual([
      { marked: 'yes' },
    ]);
    expect(await runStopped(where, { text: `select 'yes' as marked` })).toEqual([{ marked: 'yes' }]);
  },
);
