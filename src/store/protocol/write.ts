import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Payload } from '../../contract/objects.ts';
import type { OnReindex } from '../../contract/tasks.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { resolveIndex } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { deleteDerived, outlivedByOriginal } from './derived.ts';
import { holdGate, holdLineage } from './gate.ts';
import { lockOnDest, lockOnSource } from './locks.ts';

/** One part of an object with its vector, as the pipeline made it. */
export interface WritePart {
  part: number;
  start: number | null;
  end: number | null;
  isAverage: boolean;
  embedding: readonly number[];
}

/** One object to write: its new content with vectors, its old content with new metadata, a tombstone, or a failure. */
export type ObjectWrite = { id: string; version: number } & (
  | {
      kind: 'content';
      payload: Payload;
      metadata: Record<string, unknown>;
      originalId: string | null;
      uri: string | null;
      hash: string;
      parts: readonly WritePart[];
    }
  | {
      kind: 'unchanged';
      metadata: Record<string, unknown>;
      originalId: string | null;
      uri: string | null;
      hash: string;
    }
  | { kind: 'tombstone' }
  | {
      kind: 'failed';
      payload: Payload | null;
      metadata: Record<string, unknown>;
      originalId: string | null;
      uri: string | null;
    }
);

export interface WriteCounts {
  /** Applied now, or found applied already by an earlier try with the same version. */
  written: string[];
  /** A newer version is stored. */
  stale: string[];
  /** Asked to keep the vectors, but the stored content is another by now: to be embedded and written again. */
  changed: string[];
  /** No row, and older than tombstones that are gone: nobody can say whether the object was deleted since. */
  beyondRetention: string[];
}

export type WriteOutcome =
  | ({ kind: 'written'; forwardTo: ForwardTarget | null } & WriteCounts)
  | { kind: 'moved' }
  | { kind: 'draining' }
  | { kind: 'locked'; taskId: string };

/** The index being built, to which a write is to be forwarded. */
export interface ForwardTarget {
  indexNo: number;
  lock: string;
}

export interface LiveWrite {
  /** The name the caller used: an index or an alias. */
  target: string;
  /** The index for which the objects were embedded. */
  indexNo: number;
  objects: readonly ObjectWrite[];
  onReindex: OnReindex;
}

/**
 * Writes a batch of live changes in one transaction (design: "Write"). `moved`: the alias points elsewhere than where
 * the batch was embedded for. `draining`: a cut-over holds writers back for a moment. `locked`: the index is being
 * rebuilt and the caller would not forward. Error: `IndexDeleting`, `IndexNotFound`.
 */
export async function writeLive(db: Db, write: LiveWrite): Promise<WriteOutcome> {
  return transaction(db, async (trx) => {
    await holdGate(trx, write.indexNo);
    const index = await resolveIndex(trx, write.target);
    if (index.no !== write.indexNo) return { kind: 'moved' };
    if (index.state === 'deleting') {
      throw new ReembedError('IndexDeleting', `the index ${index.name} is being deleted`);
    }
    const lock = await lockOnSource(trx, index.no);
    if (lock?.draining) return { kind: 'draining' };
    await refuseUnfinished(trx, index);
    if (lock && !lock.mirror && write.onReindex !== 'forward') return { kind: 'locked', taskId: lock.taskId };
    const counts = await applyWrites(trx, index, write.objects, 'caller');
    return { kind: 'written', ...counts, forwardTo: lock && { indexNo: lock.destNo, lock: lock.lock } };
  });
}

/** An index that is being built holds what its source holds; a write of its own would be taken away again. */
async function refuseUnfinished(trx: Trx, index: IndexRow): Promise<void> {
  const lock = await lockOnDest(trx, index.no);
  if (lock && !lock.mirror) {
    throw new ReembedError(
      'IndexLocked',
      `${index.name} is being built by the task ${lock.taskId}: write to its source`,
    );
  }
}

/**
 * Applies writes to one index: each where its version is higher than the stored one; the parts of what was written are
 * replaced. The caller holds the index's gate. A copy has the authority of the source, which has judged age and lineage
 * already. Rows are taken in the order of their ids, so that two batches with the
 * same objects wait for each other rather than deadlock.
 */
export async function applyWrites(
  trx: Trx,
  index: Pick<IndexRow, 'no' | 'removedVersion'>,
  objects: readonly ObjectWrite[],
  authority: 'caller' | 'source',
): Promise<WriteCounts> {
  const deletes = objects.filter((object) => object.kind === 'tombstone');
  const derived = objects.flatMap(({ id, version, ...object }) =>
    object.kind !== 'tombstone' && object.originalId !== null ? [{ id, version, originalId: object.originalId }] : [],
  );
  await holdLineage(trx, index.no, deletes.map(idOf), 'deletesOriginals');
  await holdLineage(
    trx,
    index.no,
    derived.map(({ originalId }) => originalId),
    'writesDerived',
  );

  const judged = authority === 'caller';
  const beyondRetention = judged ? await tooOld(trx, index, objects) : new Set<string>();
  const orphaned = judged ? await outlivedByOriginal(trx, index.no, derived) : new Set<string>();
  const allowed = objects.filter((object) => !beyondRetention.has(object.id) && !orphaned.has(object.id));

  const keep = allowed.filter((object) => object.kind === 'unchanged');
  const replace = allowed.filter((object) => object.kind !== 'unchanged');
  const replaced = await replaceObjects(trx, index.no, replace);
  const kept = await raiseUnchanged(trx, index.no, keep);
  await replaceParts(trx, index.no, replace, replaced);
  await deleteDerived(trx, index.no, deletes);

  const missed = allowed.filter((object) => !replaced.has(object.id) && !kept.has(object.id));
  const stored = await storedVersions(trx, index.no, missed.map(idOf));
  const counts: WriteCounts = {
    written: [...replaced, ...kept],
    stale: [...orphaned],
    changed: [],
    beyondRetention: [...beyondRetention],
  };
  for (const object of missed) {
    const version = stored.get(object.id);
    if (version === object.version) counts.written.push(object.id);
    else if (version !== undefined && version > object.version) counts.stale.push(object.id);
    else counts.changed.push(object.id);
  }
  return counts;
}

const idOf = (object: { id: string }) => object.id;
const json = (value: unknown) => JSON.stringify(value);

async function replaceObjects(trx: Trx, indexNo: number, objects: readonly ObjectWrite[]): Promise<Set<string>> {
  if (objects.length === 0) return new Set();
  const { objects: table } = tablesOf(indexNo);
  const content = objects.map((object) => (object.kind === 'tombstone' ? undefined : object));
  const { rows } = await sql<{ object_id: string }>`
    insert into ${table} as stored
      (index_no, object_id, version, change, deleted, failed, payload, metadata, original_id, uri, hash, write_time)
    select ${indexNo}::int, id, version, nextval('reembed.changes'), deleted, failed, payload, metadata, original_id, uri,
      hash, now()
    from unnest(
      ${objects.map(idOf)}::text[],
      ${objects.map((object) => object.version)}::bigint[],
      ${objects.map((object) => object.kind === 'tombstone')}::boolean[],
      ${objects.map((object) => object.kind === 'failed')}::boolean[],
      ${content.map((object) => (object && 'payload' in object ? json(object.payload) : null))}::jsonb[],
      ${content.map((object) => json(object?.metadata ?? {}))}::jsonb[],
      ${content.map((object) => object?.originalId ?? null)}::text[],
      ${content.map((object) => object?.uri ?? null)}::text[],
      ${content.map((object) => (object && 'hash' in object ? object.hash : null))}::text[]
    ) as incoming (id, version, deleted, failed, payload, metadata, original_id, uri, hash)
    order by id collate "C"
    on conflict (index_no, object_id) do update set
      version = excluded.version,
      change = excluded.change,
      deleted = excluded.deleted,
      failed = excluded.failed,
      payload = excluded.payload,
      metadata = excluded.metadata,
      original_id = excluded.original_id,
      uri = excluded.uri,
      hash = excluded.hash,
      write_time = excluded.write_time
    where stored.version < excluded.version
      or (stored.version = excluded.version and stored.failed and not excluded.failed)
    returning object_id`.execute(trx);
  return new Set(rows.map((row) => row.object_id));
}

/** Raises version and metadata of objects whose stored content is still the one with this hash; vectors stay. */
async function raiseUnchanged(
  trx: Trx,
  indexNo: number,
  objects: readonly Extract<ObjectWrite, { kind: 'unchanged' }>[],
): Promise<Set<string>> {
  if (objects.length === 0) return new Set();
  const { objects: table } = tablesOf(indexNo);
  const { rows } = await sql<{ object_id: string }>`
    with incoming as (
      select *
      from unnest(
        ${objects.map(idOf)}::text[],
        ${objects.map((object) => object.version)}::bigint[],
        ${objects.map((object) => json(object.metadata))}::jsonb[],
        ${objects.map((object) => object.originalId)}::text[],
        ${objects.map((object) => object.uri)}::text[],
        ${objects.map((object) => object.hash)}::text[]
      ) as row (id, version, metadata, original_id, uri, hash)
    ),
    locked as (
      select stored.object_id
      from ${table} stored
      where stored.object_id = any(${objects.map(idOf)}::text[])
      order by stored.object_id
      for update
    )
    update ${table} stored set
      version = incoming.version,
      change = nextval('reembed.changes'),
      metadata = incoming.metadata,
      original_id = incoming.original_id,
      uri = incoming.uri,
      write_time = now()
    from incoming
    where stored.object_id = incoming.id
      and stored.object_id in (select object_id from locked)
      and stored.hash = incoming.hash
      and not stored.deleted
      and not stored.failed
      and stored.version < incoming.version
    returning stored.object_id`.execute(trx);
  return new Set(rows.map((row) => row.object_id));
}

async function replaceParts(
  trx: Trx,
  indexNo: number,
  objects: readonly ObjectWrite[],
  written: ReadonlySet<string>,
): Promise<void> {
  if (written.size === 0) return;
  const { parts: table } = tablesOf(indexNo);
  await sql`delete from ${table} where object_id = any(${[...written]}::text[])`.execute(trx);
  const parts = objects.flatMap((object) =>
    object.kind === 'content' && written.has(object.id) ? object.parts.map((part) => ({ id: object.id, ...part })) : [],
  );
  if (parts.length === 0) return;
  await sql`
    insert into ${table} (index_no, object_id, part, is_average, text_range, embedding)
    select ${indexNo}::int, id, part, is_average, int4range(first, past), embedding
    from unnest(
      ${parts.map(idOf)}::text[],
      ${parts.map((part) => part.part)}::int[],
      ${parts.map((part) => part.isAverage)}::boolean[],
      ${parts.map((part) => part.start)}::int[],
      ${parts.map((part) => part.end)}::int[],
      ${parts.map((part) => vectorText(part.embedding))}::vector[]
    ) as incoming (id, part, is_average, first, past, embedding)`.execute(trx);
}

/** A vector in pgvector's text form. */
export function vectorText(vector: readonly number[]): string {
  return `[${vector.join(',')}]`;
}

async function tooOld(
  trx: Trx,
  index: Pick<IndexRow, 'no' | 'removedVersion'>,
  objects: readonly ObjectWrite[],
): Promise<Set<string>> {
  const suspects = objects.filter((object) => object.version <= index.removedVersion).map(idOf);
  if (suspects.length === 0) return new Set();
  const stored = await storedVersions(trx, index.no, suspects);
  return new Set(suspects.filter((id) => !stored.has(id)));
}

async function storedVersions(trx: Trx, indexNo: number, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ object_id: string; version: number }>`
    select object_id, version
    from ${tablesOf(indexNo).objects}
    where object_id = any(${ids}::text[])`.execute(trx);
  return new Map(rows.map((row) => [row.object_id, row.version]));
}

/** The hashes of what is embedded now, by id: of objects that are there and not failed. */
export async function storedHashes(db: Db, indexNo: number, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ object_id: string; hash: string }>`
    select object_id, hash
    from ${tablesOf(indexNo).objects}
    where object_id = any(${ids}::text[]) and hash is not null and not deleted and not failed`.execute(db);
  return new Map(rows.map((row) => [row.object_id, row.hash]));
}
