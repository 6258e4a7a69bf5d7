import { sql } from 'kysely';
import { canonicalJson } from '../../../src/contract/canonical-json.ts';
import type { Db } from '../../../src/store/database.ts';

const COLUMNS =
  'id int primary key, title text, body text, lang text, price numeric, hidden boolean not null default false, seen int not null default 0';

/** Makes a plain table and a partitioned one; returns the tables that writers name, the partitions among them. */
export async function createTables(db: Db): Promise<{ plain: string; partitioned: string; written: string[][] }> {
  const statements = [
    `create table plain (${COLUMNS})`,
    `create table parted (${COLUMNS}) partition by range (id)`,
    `create table parted_a partition of parted for values from (minvalue) to (200)`,
    `create table parted_b partition of parted for values from (200) to (400)`,
    `create table parted_rest partition of parted default`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
  // Most statements name the partitioned table; those that name a partition may meet rows that do not fit it.
  return { plain: 'plain', partitioned: 'parted', written: [['plain'], ['parted', 'parted', 'parted_a', 'parted_b']] };
}

export const DEFINITION = {
  text: ['title', 'body'],
  metadata: ['lang', 'price'],
  where: { hidden: false },
};

/** What the index of a table must have, one object a line. */
export async function expectedOf(db: Db, table: string): Promise<string[]> {
  const { rows } = await sql<{ id: string; title: string | null; body: string | null; metadata: never }>`
    select id::text as id, title, body, jsonb_build_object('lang', lang, 'price', price) as metadata
    from ${sql.table(table)}
    where not hidden and coalesce(title, '') || coalesce(body, '') <> ''`.execute(db);
  const textOf = (...texts: (string | null)[]) => texts.filter((text) => text).join('\n\n');
  return rows.map(({ id, title, body, metadata }) => canonicalJson([id, textOf(title, body), metadata])).sort();
}
