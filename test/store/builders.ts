import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type IndexConfig, type IndexConfigInput, indexConfigSchema } from '../../src/contract/indexes.ts';
import { type Db, transaction } from '../../src/store/database.ts';
import { ensureIndex, findIndexByNo } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { type LiveWrite, type WriteOutcome, writeLive } from '../../src/store/protocol/live-write.ts';
import { type LockOutcome, type LockRequest, lockPair } from '../../src/store/protocol/lock-pair.ts';
import type { ObjectWrite } from '../../src/store/protocol/object-write.ts';
import type { IndexRow } from '../../src/store/schema.ts';

type ContentWrite = Extract<ObjectWrite, { kind: 'content' }>;
type Written = Extract<WriteOutcome, { kind: 'written' }>;
type Locked = Extract<LockOutcome, { kind: 'locked' }>;

/** A name that nothing else has: the tests of a file share one database. */
export const uniqueName = (prefix = 'index') => `${prefix}-${randomUUID().slice(0, 8)}`;

export function hashModel(dimensions = 3) {
  return { provider: 'hash' as const, dimensions };
}

export function indexConfig(config: Partial<IndexConfigInput> & { dimensions?: number } = {}): IndexConfig {
  const { dimensions, ...rest } = config;
  return indexConfigSchema.parse({ model: hashModel(dimensions), ...rest });
}

export async function createIndex(
  db: Db,
  config: Parameters<typeof indexConfig>[0] & { name?: string } = {},
): Promise<IndexRow> {
  const { name = uniqueName(), ...rest } = config;
  return (await transaction(db, (trx) => ensureIndex(trx, name, indexConfig(rest)))).index;
}

/** The vector of a content: its first number identifies the content, so a part shows where it belongs. */
export const vectorOf = (value: number) => [value, 1, 0.5];

/** New content whose payload, hash and vectors are all made from `text`, as in the product. */
export function content(
  id: string,
  version: number,
  over: Partial<ContentWrite> & { text?: string } = {},
): ContentWrite {
  const { text = `${id}@${version}`, ...rest } = over;
  return {
    kind: 'content',
    id,
    version,
    payload: text,
    metadata: {},
    originalId: null,
    uri: null,
    hash: `hash of ${text}`,
    parts: [{ part: 0, start: 0, end: text.length, isAverage: false, embedding: vectorOf(version) }],
    ...rest,
  };
}

/** Several parts, and an average if there is more than one, as the pipeline makes them. */
export function partsOf(values: readonly number[], average = false): ContentWrite['parts'] {
  const parts = values.map((value, part) => ({
    part,
    start: part * 10,
    end: part * 10 + 10,
    isAverage: false,
    embedding: vectorOf(value),
  }));
  if (!average) return parts;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...parts, { part: values.length, start: null, end: null, isAverage: true, embedding: vectorOf(mean) }];
}

/** New metadata for the content `text`, which is assumed to be stored. */
export function unchanged(
  id: string,
  version: number,
  text: string,
  metadata: Record<string, unknown> = { version },
): ObjectWrite {
  return { kind: 'unchanged', id, version, metadata, originalId: null, uri: null, hash: `hash of ${text}` };
}

export const tombstone = (id: string, version: number): ObjectWrite => ({ kind: 'tombstone', id, version });

export function failure(id: string, version: number): ObjectWrite {
  return { kind: 'failed', id, version, payload: `${id}@${version}`, metadata: {}, originalId: null, uri: null };
}

export function write(
  db: Db,
  index: Pick<IndexRow, 'no' | 'name'>,
  objects: readonly ObjectWrite[],
  over: Partial<LiveWrite> = {},
): Promise<WriteOutcome> {
  return writeLive(db, { target: index.name, indexNo: index.no, objects, onReindex: 'forward', ...over });
}

/** A write that is expected to be accepted. */
export async function writeIn(...args: Parameters<typeof write>): Promise<Written> {
  const outcome = await write(...args);
  if (outcome.kind !== 'written') throw new Error(`the write was held back: ${outcome.kind}`);
  return outcome;
}

export const lockRequest = (source: string, dest: string, over: Partial<LockRequest> = {}): LockRequest => ({
  taskId: uniqueName('task'),
  lock: randomUUID(),
  lockSeconds: 60,
  source,
  dest,
  maxConcurrentReindexes: 1_000,
  ...over,
});

/** A lock that is expected to be granted. */
export async function lockIn(
  db: Db,
  source: string,
  dest: string,
  over: Partial<LockRequest> = {},
): Promise<Locked & { lock: string; taskId: string }> {
  const request = lockRequest(source, dest, over);
  const outcome = await lockPair(db, request);
  if (outcome.kind !== 'locked') throw new Error(`in conflict: ${outcome.reason}`);
  return { ...outcome, lock: request.lock, taskId: request.taskId };
}

export async function expireLock(db: Db, lock: string): Promise<void> {
  await sql`
    update reembed.reindex_locks set lock_expire_time = now() - interval '1 second' where lock = ${lock}::uuid`.execute(
    db,
  );
}

export interface StoredRow {
  id: string;
  version: number;
  deleted: boolean;
  failed: boolean;
  payload: unknown;
  metadata: unknown;
  originalId: string | null;
  /** First number of each part's vector, in order. */
  parts: number[];
}

/** All rows of an index in key order, with their parts. */
export async function rowsOf(db: Db, indexNo: number): Promise<StoredRow[]> {
  const { objects, parts } = tablesOf(indexNo);
  const { rows } = await sql<StoredRow>`
    select o.object_id as id, o.version, o.deleted, o.failed, o.payload, o.metadata, o.original_id as "originalId",
      array(
        select (p.embedding::real[])[1]::float8 from ${parts} p where p.object_id = o.object_id order by p.part
      ) as parts
    from ${objects} o
    order by o.object_id`.execute(db);
  return rows;
}

export async function rowOf(db: Db, indexNo: number, id: string): Promise<StoredRow | undefined> {
  return (await rowsOf(db, indexNo)).find((row) => row.id === id);
}

export async function liveIds(db: Db, indexNo: number): Promise<string[]> {
  return (await rowsOf(db, indexNo)).filter(({ deleted }) => !deleted).map(({ id }) => id);
}

/** Parts whose object is missing or deleted: there must never be one. */
export async function orphanParts(db: Db, indexNo: number): Promise<string[]> {
  const { objects, parts } = tablesOf(indexNo);
  const { rows } = await sql<{ object_id: string }>`
    select p.object_id
    from ${parts} p
    left join ${objects} o on o.object_id = p.object_id
    where o.object_id is null or o.deleted or o.failed`.execute(db);
  return rows.map((row) => row.object_id);
}

export async function reload(db: Db, indexNo: number): Promise<IndexRow> {
  return (await findIndexByNo(db, indexNo)) as IndexRow;
}
