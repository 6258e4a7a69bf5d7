import { sql } from 'kysely';
import { bigintArray, booleanArray, textArray } from '../binary.ts';
import { isDistributed } from '../citus/layout.ts';
import type { Trx } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { holdLineageLocks } from './gate.ts';
import { noteWritten, type Writer } from './history.ts';
import { differingAt, judgeByHighest, judgeForgotten, storedVersions } from './judge.ts';
import { deleteDerived, deletionsOfOriginals, predictLineage, rememberOriginals } from './lineage.ts';
import { lockRows } from './lock-rows.ts';
import { deleteParts, insertParts } from './object-parts.ts';
import type { ObjectWrite, WriteCounts } from './object-write.ts';
import { recallRemoved } from './removed.ts';

/**
 * Applies live writes to one index. A write is applied if its version is higher than the stored one. The caller holds
 * the index's gate. Rows are locked in the order of their ids, so two batches with the same objects wait for each other
 * instead of deadlocking.
 */
export async function applyWrites(
  trx: Trx,
  index: Pick<IndexRow, 'no' | 'removedVersion' | 'versioning'>,
  objects: readonly ObjectWrite[],
  writer: Writer | null = null,
): Promise<WriteCounts> {
  const isExternal = index.versioning === 'external';
  const lineage = await predictLineage(trx, index.no, {
    deleted: objects.filter(({ kind }) => kind === 'tombstone').map(idOf),
    derived: derivedOf(objects),
  });
  await holdLineageLocks(trx, index.no, lineage);
  await lockRows(trx, index.no, [...objects.map(idOf), ...lineage.deleted], lineage.deleted.length > 0);
  const known = isExternal ? await judgeForgotten(trx, index.no, objects) : await judgeByHighest(trx, index, objects);
  const allowed = objects.filter(({ id }) => !known.decided.has(id));

  // An object derived from one that was deleted later is deleted too, as it would have been had it arrived in time.
  const inherited = await deletionsOfOriginals(trx, index.no, derivedOf(allowed));
  const orphans = new Set<string>();
  const judged = allowed.map((object): ObjectWrite => {
    if (inherited.size === 0) return object;
    const deletion = inherited.get(object.id) ?? 0;
    if (object.kind === 'tombstone' || deletion <= numberOf(object)) return object;
    orphans.add(object.id);
    const { id, originalId } = object;
    // A client's version is comparable only with other versions of the same object.
    const order = isExternal ? { version: object.version, accepted: deletion } : { version: deletion };
    return { kind: 'tombstone', id, ...order, originalId };
  });
  const { counts, replaced } = await store(trx, index.no, judged, {
    isCopy: false,
    isExternal,
    copiedFrom: null,
    writer,
  });
  if (isExternal) await recallRemoved(trx, index.no, counts.written);
  const staleIds = new Set(counts.stale);
  await rememberOriginals(
    trx,
    index.no,
    derivedOf(allowed).filter(({ id }) => staleIds.has(id)),
  );
  // With external versions, a stale deletion did not happen after the stored write.
  const deletions = allowed.filter(({ id, kind }) => kind === 'tombstone' && (!isExternal || replaced.has(id)));
  const roots = [
    ...deletions.map((object) => ({ id: object.id, version: numberOf(object) })),
    ...[...inherited].map(([id, version]) => ({ id, version })),
  ];
  await deleteDerived(trx, index, roots, writer);
  return {
    written: [...known.written, ...counts.written.filter((id) => !orphans.has(id))],
    stale: [...known.stale, ...counts.stale.filter((id) => !orphans.has(id)), ...orphans.keys()],
    changed: counts.changed,
    beyondRetention: known.beyondRetention,
  };
}

/** The number that orders the writes of different objects. */
function numberOf({ version, accepted }: ObjectWrite): number {
  return accepted ?? version;
}

function derivedOf(objects: readonly ObjectWrite[]): { id: string; originalId: string }[] {
  const derived: { id: string; originalId: string }[] = [];
  for (const { id, kind, originalId } of objects) {
    if (originalId && kind !== 'tombstone') derived.push({ id, originalId });
  }
  return derived;
}

/**
 * Stores copies unchanged. The source has already checked their age and lineage; checking again could give another
 * result, since copies arrive in a different order. `copiedFrom` is the number of the source; `keep` leaves the column
 * as it is.
 */
export async function storeObjects(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  copiedFrom: CopiedFrom,
  writer: Writer | null = null,
): Promise<WriteCounts> {
  return (await store(trx, indexNo, objects, { isCopy: true, copiedFrom, writer })).counts;
}

/**
 * Stores each object whose version is higher than the stored one and replaces its parts. In a copy, a tombstone
 * replaces content of the same version: the source deleted that content together with its original.
 */
async function store(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  options: StoreOptions,
): Promise<{ counts: WriteCounts; replaced: ReadonlySet<string> }> {
  const { first, repeated } = splitRepeated(objects);
  const replace = first.filter(({ kind }) => kind !== 'unchanged' && kind !== 'overtaken');
  const keep = first.filter((object) => object.kind === 'unchanged');
  await lockRows(trx, indexNo, first.map(idOf), replace.length > 0 && keep.length > 0);
  const replaced = await replaceObjects(trx, indexNo, replace, options);
  const kept = await bumpUnchanged(trx, indexNo, keep, options);
  await deleteParts(trx, indexNo, replaced.older);
  await insertParts(trx, indexNo, replace, replaced.ids);

  const missed = [...first.filter(({ id }) => !replaced.ids.has(id) && !kept.has(id)), ...repeated];
  const stored = await storedVersions(trx, indexNo, missed.map(idOf));
  const others = options.isExternal ? await differingAt(trx, indexNo, missed) : new Set();
  const counts: WriteCounts = { written: [...replaced.ids, ...kept], stale: [], changed: [], beyondRetention: [] };
  for (const object of missed) {
    const version = stored.get(object.id);
    if (object.kind === 'overtaken' || others.has(object.id)) counts.stale.push(object.id);
    else if (version === object.version) counts.written.push(object.id);
    else if (version !== undefined && version > object.version) counts.stale.push(object.id);
    else counts.changed.push(object.id);
  }
  return { counts, replaced: replaced.ids };
}

/** A statement can write a row only once: of a repeated id, keeps the highest version, or the first of equal ones. */
function splitRepeated(objects: readonly ObjectWrite[]): { first: ObjectWrite[]; repeated: ObjectWrite[] } {
  const best = new Map<string, ObjectWrite>();
  for (const object of objects) {
    const before = best.get(object.id);
    if (!before || before.version < object.version) best.set(object.id, object);
  }
  return { first: [...best.values()], repeated: objects.filter((object) => best.get(object.id) !== object) };
}

type CopiedFrom = number | 'keep';

interface StoreOptions {
  isCopy: boolean;
  /** Of a live write: equal versions do not mean equal content. */
  isExternal?: boolean;
  /** Null for a live write. */
  copiedFrom: CopiedFrom | null;
  writer: Writer | null;
}

const originOf = (copiedFrom: CopiedFrom | null) => (copiedFrom === 'keep' ? null : copiedFrom);
const idOf = (object: { id: string }) => object.id;
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
async function replaceObjects(
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
async function bumpUnchanged(
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
