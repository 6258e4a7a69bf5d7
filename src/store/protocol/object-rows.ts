import { sql } from 'kysely';
import { bigintArray, booleanArray, textArray } from '../binary.ts';
import { isDistributed } from '../citus/layout.ts';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { noteWritten, type Writer } from './history.ts';
import type { ObjectWrite } from './object-write.ts';

export type CopiedFrom = number | 'keep';

export interface StoreOptions {
  isCopy: boolean;
  /** Of a live write: equal versions do not mean equal content. */
  isExternal?: boolean;
  /** Null for a live write. */
  copiedFrom: CopiedFrom | null;
  writer: Writer | null;
}

const idOf = ({ id }: ObjectWrite) => id;
const originOf = (copiedFrom: CopiedFrom | null) => (copiedFrom === 'keep' ? null : copiedFrom);
const json = (value: unknown) => JSON.stringify(value);

/** Converts objects to the columns of their rows, in one pass: a batch has hundreds of them. */
function columnsOf(objects: readonly ObjectWrite[]) {
  const columns = {
    ids: [] as string[],
    versions: [] as number[],
    accepted: [] as (number | null)[],
    deleted: [] as boolean[],
    failed: [] as boolean[],
    payloads: [] as (string | null)[],
    metadata: [] as string[],
    originalIds: [] as (string | null)[],
    uris: [] as (string | null)[],
    hashes: [] as (string | null)[],
  };
  for (const object of objects) {
    const content = object.kind === 'content' || object.kind === 'failed' ? object : null;
    columns.ids.push(object.id);
    columns.versions.push(object.version);
    columns.accepted.push(object.accepted ?? null);
    columns.deleted.push(object.kind === 'tombstone');
    columns.failed.push(object.kind === 'failed');
    columns.payloads.push(content && json(content.payload));
    columns.metadata.push(json(content?.metadata ?? {}));
    columns.originalIds.push(object.originalId ?? null);
    columns.uris.push(content?.uri ?? null);
    columns.hashes.push(content?.hash ?? null);
  }
  return columns;
}

/** Returns the ids that were written, and those that replaced an older row, which may have parts. */
export async function replaceObjects(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  { isCopy, copiedFrom, writer }: StoreOptions,
): Promise<{ ids: Set<string>; older: string[] }> {
  if (objects.length === 0) return { ids: new Set(), older: [] };
  const { objects: table } = tablesOf(indexNo);
  const columns = columnsOf(objects);
  // An inserted row, unlike an updated one, has xmax 0.
  const { rows } = await sql<{ object_id: string; is_new: boolean }>`
    with written as (
    insert into ${table} as stored
      (index_no, object_id, version, accepted, change, deleted, deleted_version, failed, payload, metadata, original_id, uri,
      hash, copied_from, write_time)
    select ${indexNo}::int, id, version, accepted, nextval('reembed.changes'), deleted,
      case when deleted then coalesce(accepted, version) else 0 end, failed, payload::jsonb, metadata::jsonb, original_id, uri,
      hash, ${originOf(copiedFrom)}::int, now()
    from unnest(
      ${textArray(columns.ids)}::text[],
      ${bigintArray(columns.versions)}::bigint[],
      ${bigintArray(columns.accepted)}::bigint[],
      ${booleanArray(columns.deleted)}::boolean[],
      ${booleanArray(columns.failed)}::boolean[],
      ${textArray(columns.payloads)}::text[],
      ${textArray(columns.metadata)}::text[],
      ${textArray(columns.originalIds)}::text[],
      ${textArray(columns.uris)}::text[],
      ${textArray(columns.hashes)}::text[]
    ) as incoming (id, version, accepted, deleted, failed, payload, metadata, original_id, uri, hash)
    order by id collate "C"
    on conflict (index_no, object_id) do update set
      version = excluded.version,
      accepted = excluded.accepted,
      change = excluded.change,
      deleted = excluded.deleted,
      deleted_version = greatest(stored.deleted_version, excluded.deleted_version),
      failed = excluded.failed,
      payload = excluded.payload,
      metadata = excluded.metadata,
      original_id = case
        when excluded.deleted then coalesce(excluded.original_id, stored.original_id)
        else excluded.original_id
      end,
      uri = excluded.uri,
      hash = excluded.hash,
      copied_from = ${copiedFrom === 'keep' ? sql`stored` : sql`excluded`}.copied_from,
      write_time = excluded.write_time
    where stored.version < excluded.version
      or (stored.version = excluded.version and stored.failed and not excluded.failed)
      or (${isCopy} and stored.version = excluded.version and excluded.deleted and not stored.deleted)
    returning object_id, xmax = 0 as is_new, change, version, copied_from, null::text as reason,
      case when deleted then 'deleted' when failed then 'failed' else 'written' end as kind
    ),
    ${noteWritten(indexNo, objects.map(idOf), writer)}
    select object_id, is_new from written`.execute(trx);
  return {
    ids: new Set(rows.map((row) => row.object_id)),
    older: rows.flatMap((row) => (row.is_new ? [] : row.object_id)),
  };
}

/** Raises version and metadata, and the payload if given, of objects whose hash shows that their vectors still fit. */
export async function bumpUnchanged(
  trx: Trx,
  indexNo: number,
  objects: readonly Extract<ObjectWrite, { kind: 'unchanged' }>[],
  { copiedFrom, writer }: StoreOptions,
): Promise<Set<string>> {
  if (objects.length === 0) return new Set();
  const { objects: table } = tablesOf(indexNo);
  const isSpread = await isDistributed(trx);
  const locked = sql`
    locked as (
      select stored.object_id
      from ${table} stored
      where stored.index_no = ${indexNo} and stored.object_id = any(${objects.map(idOf)}::text[])
      order by stored.object_id
      for update
    ),`;
  const { rows } = await sql<{ object_id: string }>`
    with incoming as materialized (
      select *, nextval('reembed.changes') as change
      from unnest(
        ${objects.map(idOf)}::text[],
        ${objects.map((object) => object.version)}::bigint[],
        ${objects.map((object) => object.accepted ?? null)}::bigint[],
        ${objects.map((object) => json(object.metadata))}::jsonb[],
        ${objects.map((object) => object.originalId)}::text[],
        ${objects.map((object) => object.uri)}::text[],
        ${objects.map((object) => object.hash)}::text[],
        ${textArray(objects.map(({ payload }) => (payload === undefined || payload === null ? null : json(payload))))}::text[]
      ) as row (id, version, accepted, metadata, original_id, uri, hash, payload)
    ),
    ${isSpread ? sql`` : locked}
    written as (
    update ${table} stored set
      version = incoming.version,
      accepted = incoming.accepted,
      change = incoming.change,
      metadata = incoming.metadata,
      payload = coalesce(incoming.payload::jsonb, stored.payload),
      hash = incoming.hash,
      original_id = incoming.original_id,
      uri = incoming.uri,
      copied_from = ${copiedFrom === 'keep' ? sql`stored.copied_from` : sql`${copiedFrom}::int`},
      write_time = now()
    from incoming
    where stored.index_no = ${indexNo}
      and stored.object_id = any(${objects.map(idOf)}::text[])
      and stored.object_id = incoming.id
      ${isSpread ? sql`` : sql`and stored.object_id in (select object_id from locked)`}
      and (
        stored.hash = incoming.hash
        or (incoming.payload is not null and split_part(stored.hash, '.', 1) = split_part(incoming.hash, '.', 1))
      )
      and not stored.deleted
      and not stored.failed
      and stored.version < incoming.version
    returning stored.object_id, false as is_new, stored.change, stored.version, stored.copied_from, null::text as reason,
      'unchanged' as kind
    ),
    ${noteWritten(indexNo, objects.map(idOf), writer)}
    select object_id from written`.execute(trx);
  return new Set(rows.map((row) => row.object_id));
}
