import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create extension if not exists vector`.execute(db);
  await sql`create schema if not exists reembed`.execute(db);

  // Orders all writes to all indexes, regardless of the order of arrival.
  await sql`create sequence reembed.versions`.execute(db);
  // Orders the changes of each index; not cached, so that the last value says which changes exist.
  await sql`create sequence reembed.changes cache 1`.execute(db);

  await sql`
    create table reembed.indexes (
      no              int generated always as identity primary key,
      name            text not null unique,
      state           text not null default 'active' check (state in ('active', 'deleting')),
      model           jsonb not null,
      dimensions      int not null,
      metric          text not null,
      splitter        jsonb not null,
      average         boolean not null,
      versioning      text not null,
      removed_version bigint not null default 0,
      built_by_lock   uuid,
      create_time     timestamptz not null default now()
    )`.execute(db);

  await sql`
    create table reembed.aliases (
      name     text primary key,
      index_no int not null references reembed.indexes (no)
    )`.execute(db);

  // collate "C": keys are ordered by their bytes, the same on every server, so slices by key never shift.
  // deleted_version: the highest version at which the object or one of its originals was deleted. It is kept when the
  // object is created again, to judge late writes of objects derived from the earlier one.
  await sql`
    create table reembed.objects (
      index_no        int not null,
      object_id       text collate "C" not null,
      version         bigint not null,
      change          bigint not null,
      deleted         boolean not null default false,
      deleted_version bigint not null default 0,
      failed          boolean not null default false,
      payload         jsonb,
      metadata        jsonb not null default '{}',
      original_id     text collate "C",
      uri             text,
      hash            text,
      write_time      timestamptz not null default now(),
      primary key (index_no, object_id)
    ) partition by list (index_no)`.execute(db);
  await sql`create index objects_change on reembed.objects (index_no, change)`.execute(db);
  await sql`
    create index objects_original on reembed.objects (index_no, original_id)
    where original_id is not null`.execute(db);
  await sql`create index objects_deleted on reembed.objects (index_no, write_time) where deleted`.execute(db);
  await sql`create index objects_failed on reembed.objects (index_no, object_id) where failed`.execute(db);

  // The column has no dimension: each index has its own, and its own HNSW index built after a bulk load.
  await sql`
    create table reembed.parts (
      index_no   int not null,
      object_id  text collate "C" not null,
      part       int not null,
      is_average boolean not null default false,
      text_range int4range,
      embedding  vector not null,
      primary key (index_no, object_id, part)
    ) partition by list (index_no)`.execute(db);

  // An index is in at most one lock as source, and in at most one as destination.
  await sql`
    create table reembed.reindex_locks (
      source_no        int primary key references reembed.indexes (no),
      dest_no          int not null unique references reembed.indexes (no),
      task_id          text not null,
      lock             uuid not null unique,
      lock_time        timestamptz not null default now(),
      lock_expire_time timestamptz not null,
      draining_until   timestamptz,
      mirror           boolean not null default false
    )`.execute(db);

  // Written once and read once, so converting items to jsonb and back would be of no use.
  await sql`
    create table reembed.staged_items (
      staging    text not null,
      seq        int not null,
      item       json not null,
      stage_time timestamptz not null default now(),
      primary key (staging, seq)
    )`.execute(db);

  await sql`
    create table reembed.failed_items (
      task_id   text not null,
      object_id text collate "C" not null,
      stage     text not null,
      reason    text not null,
      detail    text not null,
      item      jsonb,
      fail_time timestamptz not null default now(),
      primary key (task_id, object_id)
    )`.execute(db);
}
