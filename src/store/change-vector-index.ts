import { sql } from 'kysely';
import { invalidField, ReembedError } from '../contract/errors.ts';
import {
  type HnswIndex,
  resolveVectorIndex,
  type VectorIndexConfig,
  vectorIndexProblem,
} from '../contract/vector-index.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { findIndexByNo, getIndex, requireActive } from './indexes.ts';
import { locksTouching } from './protocol/locks.ts';
import type { IndexRow } from './schema.ts';
import { hasParts, vectorIndexName } from './vector-index.ts';
import { type BuildOptions, type BuildSession, inBuildSession, isValidIndex } from './vector-index-session.ts';

/** A vector index as it is asked for; null: the usual one. */
export type WantedVectorIndex = VectorIndexConfig | null;

export interface VectorIndexChange {
  indexNo: number;
  taskId: string;
  vectorIndex: WantedVectorIndex;
}

export type VectorIndexOutcome =
  /** `built`: an HNSW index was built; otherwise there was nothing to build. */
  | { kind: 'done'; built: boolean }
  /** Nothing has changed, because another task was asked for another vector index since. */
  | { kind: 'superseded'; by: string | null };

/** Waits for a lock of the catalog this long before the switch is tried again. */
const SWITCH_LOCK_MS = 2_000;

const withVectorIndex = (index: IndexRow, vectorIndex: WantedVectorIndex): IndexRow => ({
  ...index,
  vectorIndex: vectorIndex ?? undefined,
});

const isSame = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);

/** Whether an index has this vector index, by its settings. */
export function hasVectorIndex(index: IndexRow, vectorIndex: WantedVectorIndex): boolean {
  return isSame(resolveVectorIndex(index), resolveVectorIndex(withVectorIndex(index, vectorIndex)));
}

/**
 * Finds an index, by its own name, whose vector index may be changed to this one. Errors: `IndexNotFound`,
 * `IndexDeleting`, `IndexLocked` while a reindex reads or builds it, `InvalidInput`.
 */
export async function findChangeable(db: Db | Trx, name: string, vectorIndex: WantedVectorIndex): Promise<IndexRow> {
  const index = await findOwn(db, name);
  const problem = vectorIndexProblem(withVectorIndex(index, vectorIndex));
  if (problem) throw invalidField(`vectorIndex.${problem.field}`, problem.message);
  const lock = (await locksTouching(db, [index.no])).find(({ mirror }) => !mirror);
  if (lock) {
    const text = `the task ${lock.taskId} is rebuilding ${name}: wait until it has ended, or cancel it first`;
    throw new ReembedError('IndexLocked', text);
  }
  return index;
}

/** Finds an active index by its own name. Errors: `IndexNotFound`, also for an alias, and `IndexDeleting`. */
export async function findOwn(db: Db | Trx, name: string): Promise<IndexRow> {
  const index = await getIndex(db, name);
  requireActive(index);
  return index;
}

/** Records that this task is the last one that was asked for another vector index: earlier ones change nothing. */
export async function claimVectorIndex(db: Db, indexNo: number, taskId: string): Promise<void> {
  await db.updateTable('reembed.indexes').set({ vector_index_task: taskId }).where('no', '=', indexNo).execute();
}

/**
 * Changes the vector index of an index. The new one is built under another name while the old one serves; then one
 * transaction renames both and stores the settings. Returns undefined immediately if another session builds an HNSW
 * index of this index. If the signal aborts before the switch, the old one stays and what was built is dropped. Can be
 * repeated. Errors: `IndexNotFound`, `IndexDeleting`.
 */
export async function changeVectorIndex(
  db: Db,
  change: VectorIndexChange,
  options: BuildOptions & { afterParts: number },
): Promise<VectorIndexOutcome | undefined> {
  return inBuildSession(db, change.indexNo, options, async (session) => {
    const { connection } = session;
    const index = await findIndexByNo(connection, change.indexNo);
    if (!index) throw new ReembedError('IndexNotFound', 'the index was deleted');
    requireActive(index);
    const by = await readClaim(connection, index.no);
    if (by !== change.taskId) return { kind: 'superseded', by };
    if (hasVectorIndex(index, change.vectorIndex)) {
      await dropBeside(session, index.no);
      return { kind: 'done', built: false };
    }
    try {
      return await buildAndSwitch(session, index, { change, options });
    } catch (error) {
      // What was not switched to is of no use. If the session is gone too, maintenance drops it.
      await dropBeside(session, index.no).catch(() => {});
      throw error;
    }
  });
}

async function buildAndSwitch(
  session: BuildSession,
  index: IndexRow,
  { change, options }: { change: VectorIndexChange; options: BuildOptions & { afterParts: number } },
): Promise<VectorIndexOutcome> {
  const { connection } = session;
  const wanted = withVectorIndex(index, change.vectorIndex);
  const hnsw = resolveVectorIndex(wanted);
  const isServing = await isValidIndex(connection, vectorIndexName(index.no));
  const isDue = isServing || (await hasParts(connection, wanted, options.afterParts));
  // A small index gets its HNSW index when it has grown.
  const name = hnsw.kind === 'hnsw' && isDue ? newName(index.no, hnsw) : null;
  await dropBeside(session, index.no, name);
  if (name !== null && hnsw.kind === 'hnsw' && !(await isValidIndex(connection, name))) {
    await session.drop(name);
    await session.create(wanted, hnsw, name);
  }
  options.signal?.throwIfAborted();
  const outcome = await switchTo(connection, change, name);
  await dropBeside(session, index.no);
  return outcome;
}

/** Renames both indexes and stores the settings, in one transaction that blocks neither searches nor writes. */
function switchTo(db: Db, { indexNo, taskId, vectorIndex }: VectorIndexChange, name: string | null) {
  return transaction(db, async (trx): Promise<VectorIndexOutcome> => {
    await sql`set local lock_timeout = ${sql.lit(SWITCH_LOCK_MS)}`.execute(trx);
    const row = await trx
      .selectFrom('reembed.indexes')
      .select(['state', 'name', 'vector_index_task'])
      .where('no', '=', indexNo)
      // So that neither a deletion nor a later task comes in between.
      .forUpdate()
      .executeTakeFirst();
    if (!row) throw new ReembedError('IndexNotFound', 'the index was deleted');
    requireActive(row);
    if (row.vector_index_task !== taskId) return { kind: 'superseded', by: row.vector_index_task };
    const serving = vectorIndexName(indexNo);
    await sql`alter index if exists ${sql.id('reembed', serving)} rename to ${sql.id(oldName(indexNo))}`.execute(trx);
    if (name !== null) {
      await sql`alter index ${sql.id('reembed', name)} rename to ${sql.id(serving)}`.execute(trx);
    }
    await trx
      .updateTable('reembed.indexes')
      .set({ vector_index: vectorIndex === null ? null : JSON.stringify(vectorIndex) })
      .where('no', '=', indexNo)
      .execute();
    return { kind: 'done', built: name !== null };
  });
}

async function readClaim(db: Db, indexNo: number): Promise<string | null> {
  const row = await db
    .selectFrom('reembed.indexes')
    .select('vector_index_task')
    .where('no', '=', indexNo)
    .executeTakeFirst();
  return row?.vector_index_task ?? null;
}

const oldName = (indexNo: number) => `${vectorIndexName(indexNo)}_old`;

/** The name has all settings, so that a complete index of this name can be used after a crash. */
function newName(indexNo: number, { precision, dimensions, m, efConstruction }: HnswIndex): string {
  return `${vectorIndexName(indexNo)}_new_${precision}_${dimensions}_${m}_${efConstruction}`;
}

/** Drops what interrupted changes left beside the HNSW index that serves. */
async function dropBeside({ connection, drop }: BuildSession, indexNo: number, except: string | null = null) {
  for (const { name } of await listBeside(connection)) {
    if (name.startsWith(`${vectorIndexName(indexNo)}_`) && name !== except) await drop(name);
  }
}

async function listBeside(db: Db): Promise<{ indexNo: number; name: string }[]> {
  const { rows } = await sql<{ indexNo: number; name: string }>`
    select substring(c.relname from '^parts_([0-9]+)_')::int as "indexNo", c.relname as name
    from pg_class c
    where c.relnamespace = 'reembed'::regnamespace
      and c.relkind = 'i'
      and c.relname ~ '^parts_[0-9]+_hnsw_(old$|new_)'
    order by c.relname`.execute(db);
  return rows;
}

/** Drops what tasks that were terminated left beside HNSW indexes, unless it is being built. Returns how many. */
export async function dropAbandonedVectorIndexes(db: Db): Promise<number> {
  const left = await listBeside(db);
  let dropped = 0;
  for (const { indexNo, name } of left) {
    const isGone = await inBuildSession(db, indexNo, { memoryMb: 1 }, async ({ drop }) => drop(name).then(() => true));
    if (isGone === true) dropped++;
  }
  return dropped;
}
