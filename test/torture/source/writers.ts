import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Random } from '../random.ts';

/** Keys that rows are written under; few, so that writers meet. */
const KEYS = 600;

type Make = (table: string, random: Random) => string[];

const key = (random: Random) => 1 + random.below(KEYS);
const text = (random: Random) => `'word${random.below(50)} word${random.below(50)} ${random.below(1_000_000)}'`;

/** Statements of one transaction, by kind. */
const KINDS: Record<string, { weight: number; make: Make }> = {
  insert: {
    weight: 10,
    make: (table, random) => [
      `insert into ${table} (id, title, body, lang, price)
        select i, 'title ' || i, ${text(random)}, 'en', i / 4.0 from generate_series(${key(random)}, ${key(random)}) i
        on conflict (id) do nothing`,
    ],
  },
  upsert: {
    weight: 15,
    make: (table, random) => [
      `insert into ${table} (id, title, body, lang, price) values (${key(random)}, 'upserted', ${text(random)}, 'de', ${random.below(100)})
        on conflict (id) do update set body = excluded.body, price = excluded.price`,
    ],
  },
  update: {
    weight: 20,
    make: (table, random) => [`update ${table} set body = ${text(random)} where id = ${key(random)}`],
  },
  updateMany: {
    weight: 4,
    make: (table, random) => [`update ${table} set body = ${text(random)} where id % ${2 + random.below(9)} = 0`],
  },
  metadata: {
    weight: 10,
    make: (table, random) => [`update ${table} set price = price + 0.25, lang = 'fr' where id = ${key(random)}`],
  },
  unrelated: { weight: 6, make: (table) => [`update ${table} set seen = seen + 1`] },
  hide: { weight: 8, make: (table, random) => [`update ${table} set hidden = not hidden where id = ${key(random)}`] },
  empty: {
    weight: 4,
    make: (table, random) => [`update ${table} set title = null, body = '' where id = ${key(random)}`],
  },
  delete: { weight: 14, make: (table, random) => [`delete from ${table} where id = ${key(random)}`] },
  deleteMany: { weight: 2, make: (table, random) => [`delete from ${table} where id % ${5 + random.below(9)} = 0`] },
  changeKey: {
    weight: 8,
    make: (table, random) => [
      `update ${table} t set id = ${key(random)} where id = ${key(random)}
        and not exists (select from ${table} where id = ${key(random)})`,
    ],
  },
  merge: {
    weight: 5,
    make: (table, random) => [
      `merge into ${table} t using (values (${key(random)}), (${KEYS + key(random)})) as v (id) on t.id = v.id
        when matched and t.id % 2 = 0 then delete
        when matched then update set body = ${text(random)}
        when not matched then insert (id, title, body, lang, price) values (v.id, 'merged', ${text(random)}, 'it', 1)`,
    ],
  },
  several: {
    weight: 6,
    make: (table, random) => [
      `delete from ${table} where id = ${key(random)}`,
      `savepoint one`,
      `update ${table} set body = ${text(random)} where id = ${key(random)}`,
      `rollback to savepoint one`,
      `insert into ${table} (id, title, body, lang, price) values (${key(random)}, 'again', ${text(random)}, 'en', 2) on conflict (id) do nothing`,
    ],
  },
  late: {
    weight: 6,
    make: (table, random) => [
      `update ${table} set body = ${text(random)} where id = ${key(random)}`,
      `select pg_sleep(${random.between(0.1, 1.5)})`,
      `delete from ${table} where id = ${key(random)}`,
    ],
  },
  rolledBack: {
    weight: 4,
    make: (table, random) => [`delete from ${table} where id < ${key(random)}`, 'rollback'],
  },
  truncate: { weight: 0.3, make: (table) => [`truncate ${table}`] },
};

const WEIGHTS = Object.fromEntries(Object.entries(KINDS).map(([kind, { weight }]) => [kind, weight]));

/** Writes random transactions until the signal aborts. Returns how many were committed, by kind. */
export async function runWriter(
  url: () => string,
  tables: readonly string[],
  random: Random,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let client: pg.Client | undefined;
  while (!signal.aborted) {
    const kind = random.weighted(WEIGHTS);
    const statements = KINDS[kind]?.make(random.pick(tables), random) ?? [];
    try {
      client ??= await connect(url());
      await client.query('begin');
      for (const statement of statements) await client.query(statement);
      await client.query('commit');
      counts[kind] = (counts[kind] ?? 0) + 1;
    } catch (error) {
      // A conflict of keys, a deadlock, or a database that was killed: the next transaction is another one.
      const isLost = !(error instanceof pg.DatabaseError) || /^(57|08)/.test(error.code ?? '');
      if (!isLost) await client?.query('rollback').catch(() => {});
      else {
        client?.end().catch(() => {});
        client = undefined;
        await sleep(200);
      }
    }
    await sleep(random.between(0, 40));
  }
  await client?.end().catch(() => {});
  return counts;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  return client;
}
