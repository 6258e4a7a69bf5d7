import { sql } from 'kysely';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { FullText } from '../../contract/full-text.ts';
import { differByPatch } from '../../contract/index-patch.ts';
import type { IndexConfig, Metric, Splitter } from '../../contract/indexes.ts';
import type { ModelConfig } from '../../contract/models.ts';
import { type Storage, type VectorIndexConfig, vectorIndexProblem } from '../../contract/vector-index.ts';
import { deletedSince } from '../admission.ts';
import { type Db, type Trx, transaction } from '../database.ts';
import { ensureIndex, findIndex, findIndexByNo, resolveIndex } from '../indexes.ts';
import type { Claim } from '../placement/names.ts';
import type { IndexRow } from '../schema.ts';
import { type ConflictState, findConflict } from './conflicts.ts';
import { holdGatesExclusive, lockNames } from './gate.ts';
import { listLocks } from './locks.ts';
import { hasObjects, lastChangeOf } from './versions.ts';

export interface LockRequest extends ReindexPair {
  taskId: string;
  /** The uuid that fences this attempt. */
  lock: string;
  lockSeconds: number;
  /** Number of the source if it was named itself: another index of its name is refused. */
  sourceNo?: number | null | undefined;
  /** Take stored vectors over; default: true. */
  reuse?: boolean | undefined;
  /** For a new destination in a database other than the main one. */
  claim?: Claim | null | undefined;
}

/** What a reindex builds from what. */
export interface ReindexPair {
  /** The task whose own locks are in nobody's way. */
  taskId?: string | undefined;
  /** An index or an alias. */
  source: string;
  dest: string;
  destModel?: ModelConfig | undefined;
  destSplitter?: Splitter | undefined;
  destAverage?: boolean | undefined;
  /** Null: none. */
  destFullText?: FullText | null | undefined;
  destMetric?: Metric | undefined;
  destStorage?: Storage | undefined;
  /** Null: the usual one. */
  destVectorIndex?: VectorIndexConfig | null | undefined;
  /** The alias to move at the end; default: the alias in `source`. */
  alias?: string | undefined;
  maxConcurrentReindexes: number;
}

export type LockOutcome =
  | {
      kind: 'locked';
      sourceNo: number;
      destNo: number;
      source: string;
      alias: string | null;
      /** The destination already existed and has objects; these must be compared before anything is copied. */
      destHasObjects: boolean;
      /** The change number at the moment of locking; later changes are reconciled. */
      mark: number;
      lockTime: string;
      lockExpireTime: string;
    }
  | { kind: 'conflict'; reason: string; detail: string; alwaysRefused: boolean };

/**
 * Whether this lock would conflict now. Reads without the gates, so it blocks nobody; only `lockPair` decides.
 */
export async function isInTheWay(db: Db, request: LockRequest): Promise<boolean> {
  const source = await resolveIndex(db, request.source);
  const dest = await findIndex(db, request.dest);
  return findConflict(await conflictStateOf(db, source, dest ?? null, request)) !== undefined;
}

/** Returns the state that the conflict rules judge. */
export async function conflictStateOf(
  db: Db | Trx,
  source: IndexRow,
  dest: IndexRow | null,
  request: ReindexPair,
): Promise<ConflictState> {
  const aliases = dest
    ? await db.selectFrom('reembed.aliases').select('name').where('index_no', '=', dest.no).orderBy('name').execute()
    : [];
  return {
    source,
    dest: dest ?? { no: 0, name: request.dest, state: 'active' },
    locks: (await listLocks(db)).filter((lock) => lock.taskId !== request.taskId),
    destAliases: aliases.map(({ name }) => name),
    maxConcurrentReindexes: request.maxConcurrentReindexes,
  };
}

class ConflictFound extends Error {
  readonly outcome: Extract<LockOutcome, { kind: 'conflict' }>;

  constructor(outcome: Extract<LockOutcome, { kind: 'conflict' }>) {
    super(outcome.detail);
    this.outcome = outcome;
  }
}

/**
 * Locks source and destination for a reindex, in one transaction under both gates; creates the destination if needed.
 * Every earlier write is committed and the copy sees it; every later write sees the lock. Expired locks and earlier
 * locks of the same task are taken over. A conflict changes nothing. A repeated call with the same uuid is allowed.
 * Errors: `IndexNotFound`, `IndexDeleted`, `IndexExists`, `InvalidInput`, `NameTaken`.
 */
export async function lockPair(db: Db, request: LockRequest): Promise<LockOutcome> {
  try {
    return await transaction(db, (trx) => lockUnderGates(trx, request));
  } catch (error) {
    if (error instanceof ConflictFound) return error.outcome;
    throw error;
  }
}

async function lockUnderGates(trx: Trx, request: LockRequest): Promise<LockOutcome> {
  await lockNames(trx); // also makes the count of running reindexes exact
  const named = await resolveIndex(trx, request.source);
  if (typeof request.sourceNo === 'number' && named.no !== request.sourceNo) throw deletedSince(request.source);
  const intended = await destOf(trx, named, request);
  if (named.no === intended.no) {
    throw invalidField('dest', 'must not be the source', `${request.source} and ${request.dest} are the same index`);
  }
  await holdGatesExclusive(trx, named.no, intended.no);
  // Again, because either index may have been deleted or marked for deletion before the gates closed.
  const source = await resolveIndex(trx, request.source);
  const dest = await findIndexByNo(trx, intended.no);
  if (source.no !== named.no || !dest) return lockUnderGates(trx, request);

  await sql`
    delete from reembed.reindex_locks
    where (source_no in (${source.no}, ${dest.no}) or dest_no in (${source.no}, ${dest.no}))
      and lock <> ${request.lock}::uuid
      and (lock_expire_time <= now() or task_id = ${request.taskId})`.execute(trx);
  const state = await conflictStateOf(trx, source, dest, request);
  const conflict = findConflict(state);
  if (conflict) {
    const { reason, alwaysRefused } = conflict;
    throw new ConflictFound({ kind: 'conflict', reason, alwaysRefused, detail: conflict.describe(state) });
  }
  const alias = await aliasOf(trx, source, request);
  const mark = await lastChangeOf(trx, source.no);
  const { rows } = await sql<{ lock_time: Date; lock_expire_time: Date }>`
    insert into reembed.reindex_locks (source_no, dest_no, task_id, lock, reuse, lock_expire_time, since_change)
    values (
      ${source.no}, ${dest.no}, ${request.taskId}, ${request.lock}::uuid, ${request.reuse ?? true},
      now() + make_interval(secs => ${request.lockSeconds}), ${mark}
    )
    on conflict (lock) do update set lock_expire_time = excluded.lock_expire_time, draining_until = null
    returning lock_time, lock_expire_time`.execute(trx);
  const row = rows[0] as { lock_time: Date; lock_expire_time: Date };
  // The destination cannot know more about deleted objects than the source remembers.
  await sql`
    update reembed.indexes
    set removed_version = greatest(removed_version, ${source.removedVersion}::bigint)
    where no = ${dest.no}`.execute(trx);
  return {
    kind: 'locked',
    sourceNo: source.no,
    destNo: dest.no,
    source: source.name,
    alias,
    destHasObjects: await hasObjects(trx, dest.no),
    mark,
    lockTime: row.lock_time.toISOString(),
    lockExpireTime: row.lock_expire_time.toISOString(),
  };
}

async function destOf(trx: Trx, source: IndexRow, request: LockRequest): Promise<IndexRow> {
  const existing = await findIndex(trx, request.dest);
  const asked = destConfigOf(source, existing, request);
  // The start has compared all of them: what differs by now was changed since, and a restart must not fail for that.
  const isPatched = existing !== undefined && differByPatch(asked.model, existing.model);
  const config = isPatched ? { ...asked, model: existing.model } : asked;
  requireSameVersioning(source, request.dest, config);
  // The conflict rules handle an index that is being deleted.
  if (existing?.state === 'deleting') return existing;
  return (await ensureIndex(trx, request.dest, config, { claim: request.claim ?? null })).index;
}

/** Settings of the destination, of which one is enough to create it: the others are those of the source. */
const DEST_FIELDS = [
  'destSplitter',
  'destAverage',
  'destFullText',
  'destMetric',
  'destStorage',
  'destVectorIndex',
] as const;

/** Returns the settings that the destination must have. Error: `InvalidInput` without a model to create it with. */
export function destConfigOf(
  source: IndexRow,
  existing: IndexRow | undefined,
  request: Omit<ReindexPair, 'maxConcurrentReindexes'>,
): IndexConfig {
  if (!existing && !request.destModel && DEST_FIELDS.every((field) => request[field] === undefined)) {
    throw invalidField(
      'destModel',
      'needed to create the index',
      `there is no index ${request.dest}: set the model to create it with, or what else is to change`,
    );
  }
  const base: IndexConfig = existing ?? source;
  const fullText = request.destFullText === undefined ? base.fullText : request.destFullText;
  const vectorIndex = request.destVectorIndex === undefined ? base.vectorIndex : request.destVectorIndex;
  const storage = request.destStorage ?? base.storage;
  const config: IndexConfig = {
    model: request.destModel ?? base.model,
    splitter: request.destSplitter ?? base.splitter,
    average: request.destAverage ?? base.average,
    metric: request.destMetric ?? base.metric,
    versioning: base.versioning,
    ...(fullText ? { fullText } : {}),
    ...(base.readyVectors ? { readyVectors: true } : {}),
    ...(storage ? { storage } : {}),
    ...(vectorIndex ? { vectorIndex } : {}),
  };
  const problem = vectorIndexProblem(config);
  if (!problem) return config;
  const [field, { model }] = [`destVectorIndex.${problem.field}`, config];
  throw invalidField(
    field,
    problem.message,
    `the vector index of ${request.dest}, with ${model.name}: ${field} ${problem.message}`,
  );
}

/** @throws ReembedError `InvalidInput` if source and destination count versions differently */
export function requireSameVersioning(source: IndexRow, dest: string, { versioning }: IndexConfig): void {
  if (versioning === source.versioning) return;
  throw invalidField(
    'dest',
    `must have versioning ${source.versioning}, like the source`,
    `${source.name} and ${dest} have different versioning`,
  );
}

/** Returns the alias that a reindex moves; null for none. Errors: `InvalidInput`, `NameTaken`. */
export async function aliasOf(trx: Db | Trx, source: IndexRow, request: ReindexPair): Promise<string | null> {
  const alias = request.alias ?? (request.source === source.name ? null : request.source);
  if (alias === null) return null;
  const row = await trx.selectFrom('reembed.aliases').select('index_no').where('name', '=', alias).executeTakeFirst();
  if (row && row.index_no !== source.no) {
    throw invalidField(
      'alias',
      `must point to ${source.name} or be a new name`,
      `the alias ${alias} does not point to ${source.name}`,
    );
  }
  if (!row && (await findIndex(trx, alias))) {
    throw new ReembedError('NameTaken', `${alias} is the name of an index`);
  }
  return alias;
}

/** Releases a lock under both gates. Does nothing if the lock is gone. */
export async function releaseLock(db: Db, lock: string): Promise<void> {
  await transaction(db, async (trx) => {
    const row = await trx.selectFrom('reembed.reindex_locks').selectAll().where('lock', '=', lock).executeTakeFirst();
    if (!row) return;
    await holdGatesExclusive(trx, row.source_no, row.dest_no);
    await trx.deleteFrom('reembed.reindex_locks').where('lock', '=', lock).execute();
  });
}
