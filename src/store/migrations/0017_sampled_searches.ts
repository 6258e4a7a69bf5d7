import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Which share of the searches by an alias is kept, and for how long. It ends with its alias.
  await sql`
    create table reembed.search_sampling (
      alias        text primary key references reembed.aliases (name) on delete cascade,
      share        double precision not null,
      keep_seconds double precision not null
    )`.execute(db);
  await sql`
    create table reembed.sampled_searches (
      seq         bigint generated always as identity primary key,
      alias       text not null references reembed.search_sampling (alias) on delete cascade,
      text        text not null,
      search_time timestamptz not null,
      index_name  text not null,
      max_hits    int not null,
      filtered    boolean not null,
      hits        jsonb not null
    )`.execute(db);
  await sql`create index on reembed.sampled_searches (alias, seq)`.execute(db);
  // The alias and the seed of a set that was made from sampled searches.
  await sql`alter table reembed.query_sets add column sampled jsonb`.execute(db);
}
