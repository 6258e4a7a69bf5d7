import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Has a row if the tables of indexes are distributed over the nodes of Citus. It is written while there is no index,
  // so that a process that knows an index also sees the layout of its tables.
  await sql`
    create table reembed.layout (
      kind            text primary key check (kind = 'citus'),
      distribute_time timestamptz not null default now()
    )`.execute(db);
}
