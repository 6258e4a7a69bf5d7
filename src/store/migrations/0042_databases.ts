import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // One row: which database of which system this is. The id is drawn when the system gets a second database, so that
  // databases made from one template do not share it; it is that of the main database, and the others name it.
  await sql`
    create table reembed.database_identity (
      only_row bool primary key default true check (only_row),
      id       uuid,
      name     text,
      main_id  uuid
    )`.execute(db);
  await sql`insert into reembed.database_identity default values`.execute(db);

  // In the main database: which other database holds a name, or may get it by a creation under this claim.
  await sql`
    create table reembed.placements (
      kind        text not null,
      name        text not null collate "C",
      database    text not null,
      claim       uuid not null unique,
      claim_time  timestamptz not null default now(),
      primary key (kind, name)
    )`.execute(db);
  await sql`create index on reembed.placements (database, kind, name)`.execute(db);

  // In the other databases: claims under which nothing can be created any more.
  await sql`
    create table reembed.revoked_claims (
      claim       uuid primary key,
      revoke_time timestamptz not null default now()
    )`.execute(db);
}
