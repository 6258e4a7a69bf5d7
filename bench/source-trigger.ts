import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { median } from 'simple-statistics';
import type { Db } from '../src/store/database.ts';
import { transaction } from '../src/store/database.ts';
import { inspectTable } from '../src/store/sources/inspect.ts';
import { outboxOf } from '../src/store/sources/names.ts';
import { installSql } from '../src/store/sources/triggers.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, compare, type Metric } from './harness.ts';
import { postgresVersions } from './machine.ts';

const METRICS = [
  { name: 'update of one row', unit: 'ms', better: 'lower' },
  { name: 'update of 10,000 rows', unit: 'ms', better: 'lower' },
  { name: 'insert of 10,000 rows', unit: 'ms', better: 'lower' },
  { name: 'update of 10,000 rows, unused column', unit: 'ms', better: 'lower' },
  { name: 'delete of 10,000 rows', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const ROWS = 50_000;
const MANY = 10_000;
/** Updates of one row, each in a transaction of its own, of which the median counts. */
const SINGLE = 300;
const NO = 1;

export const sourceTrigger: Benchmark = {
  about: "what a source's triggers cost the writers of its table: the same table with and without them",
  async run({ runs, say }) {
    const { db, url, close } = await openBenchDatabase({ connections: 2, say });
    try {
      await createTable(db, 'plain');
      await createTable(db, 'followed');
      await follow(db, 'followed');
      const plan = {
        title: `a table of ${ROWS} rows with 500 characters of text`,
        metrics: METRICS,
        candidate: { name: 'with triggers', run: () => measure(db, url, 'followed') },
        baseline: { name: 'without', run: () => measure(db, url, 'plain') },
      };
      return { comparisons: [await compare(plan, { runs, say })], versions: await postgresVersions(url) };
    } finally {
      await close();
    }
  },
};

async function createTable(db: Db, name: string): Promise<void> {
  // An index beside the key, and free space in the pages, as a table with updates has them.
  await sql`
    create table ${sql.id(name)} (id bigint primary key, title text not null, body text not null, price int, stock int)
    with (fillfactor = 70, autovacuum_enabled = false)`.execute(db);
  await sql`create index on ${sql.id(name)} (title)`.execute(db);
  await insertRows(db, name, 1, ROWS);
}

async function insertRows(db: Db, name: string, first: number, count: number): Promise<void> {
  await sql`
    insert into ${sql.id(name)}
    select id, 'title ' || id, repeat(md5(id::text), 16), 1, 1
    from generate_series(${first}::bigint, ${first + count - 1}::bigint) id`.execute(db);
}

async function follow(db: Db, name: string): Promise<void> {
  const facts = await inspectTable(db, { schema: 'public', name });
  const table = { schema: 'public', name, oid: facts?.oid ?? '0', partitions: null };
  const source = {
    no: NO,
    marker: randomUUID(),
    table,
    key: [{ name: 'id', type: 'bigint' }],
    content: ['title', 'body'],
  };
  await transaction(db, async (trx) => {
    for (const statement of installSql(source, { hasSchema: true })) await sql.raw(statement).execute(trx);
  });
}

/** Measures on one connection; the outbox is emptied between, as its consumer does. */
async function measure(db: Db, url: string, table: string): Promise<Record<Name, number>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const timed = async (statement: string) => {
    const startMs = performance.now();
    await client.query(statement);
    return performance.now() - startMs;
  };
  try {
    await settle(db);
    const single: number[] = [];
    for (let at = 0; at < SINGLE; at++) {
      single.push(await timed(`update ${table} set body = repeat(md5(random()::text), 16) where id = ${1 + at * 7}`));
    }
    await settle(db);
    const last = `id > ${ROWS - MANY} and id <= ${ROWS}`;
    const update = await timed(`update ${table} set body = repeat(md5(body), 16) where ${last}`);
    await settle(db);
    const unused = await timed(`update ${table} set price = price + 1 where ${last}`);
    await settle(db);
    const insert = await timed(`
      insert into ${table} select id, 'title ' || id, repeat(md5(id::text), 16), 1, 1
      from generate_series(${ROWS + 1}, ${ROWS + MANY}) id`);
    await settle(db);
    const remove = await timed(`delete from ${table} where id > ${ROWS}`);
    return {
      'update of one row': median(single),
      'update of 10,000 rows': update,
      'insert of 10,000 rows': insert,
      'update of 10,000 rows, unused column': unused,
      'delete of 10,000 rows': remove,
    };
  } finally {
    await client.end();
  }
}

async function settle(db: Db): Promise<void> {
  await sql.raw(`truncate ${outboxOf(NO)}`).execute(db);
  for (const table of ['plain', 'followed']) await sql.raw(`vacuum ${table}`).execute(db);
  await sql`checkpoint`.execute(db);
}
