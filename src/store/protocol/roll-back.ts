import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { MAX_MOVED_ALIASES, ROLL_BACK_REFUSALS, type RollBack, type RollBackReport } from '../../contract/roll-back.ts';
import type { Db, Trx } from '../database.ts';
import { findIndexByNo, requireActive } from '../indexes.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { followAliases } from '../search-views.ts';
import type { Pair } from './copy.ts';
import { type Deadline, transactionUntil } from './draining.ts';
import { holdGatesExclusive, lockNames } from './gate.ts';
import { findLack, isLacking, type Lack } from './lack.ts';
import { requireLock } from './locks.ts';
import { insertMirror, type NewMirror } from './mirrors.ts';
import { noteReplaced } from './origins.ts';
import { lastChangeOf } from './versions.ts';

/** Max. changes that are counted for a report: under the gates, this takes some 50 ms. */
const MAX_COUNTED = 100_000;

export interface RollBackStep {
  /** The lock of the mirror, from the index that serves to the one that shall serve. */
  lock: string;
  /** The destination has all changes of the source up to this one. */
  mark: number;
  /** The mirror in the other direction. */
  next: NewMirror;
  /** Moves only these aliases; null: all that point to the index that serves. */
  aliases: readonly string[] | null;
  by: string | null;
  reason: string | null;
}

export type RollBackOutcome =
  /** `mark`: the index that served has all changes of the one that serves now up to this one. */
  { kind: 'done'; mark: number; report: RollBackReport } | { kind: 'lacking'; lack: Lack };

/**
 * The atomic step of a roll back. Under both gates, it checks that the index that is kept current has every change of
 * the one that serves, moves the aliases, and swaps the roles of the mirror. Running it again after it succeeded returns
 * `done`. Waits for the catalog and the gates no longer than the deadline, if there is one: see `isWaitOver`. The caller
 * has compared both indexes completely. Errors: `LockLost`, `IndexDeleting`, `RollBackRefused` if no alias would move.
 */
export async function rollBack(db: Db, step: RollBackStep, deadline?: Deadline): Promise<RollBackOutcome> {
  return transactionUntil(db, deadline, async (trx): Promise<RollBackOutcome> => {
    await lockNames(trx);
    const earlier = await findReport(trx, step.next.lock);
    // What was copied before is not copied again, so to start from the beginning only costs a comparison.
    if (earlier) return { kind: 'done', mark: 0, report: earlier };
    const { sourceNo, destNo } = await requireLock(trx, step.lock);
    await holdGatesExclusive(trx, sourceNo, destNo);
    // While the row of the mirror exists, no tombstone is removed: what was compared before still holds.
    await requireLock(trx, step.lock, { hold: true });
    const [from, to] = [await requireServable(trx, sourceNo), await requireServable(trx, destNo)];
    const aliases = await aliasesOf(trx, from, step.aliases);
    const lack = await findLack(trx, { sourceNo, destNo }, step.mark);
    if (isLacking(lack)) return { kind: 'lacking', lack };

    const before = await sinceOf(trx, step.lock);
    const written = await countWritten(trx, sourceNo, before);
    const { by, reason } = step;
    const time = new Date().toISOString();
    const report = { from: from.name, to: to.name, aliases, time, ...written, by, reason };
    const last = await lastChangeOf(trx, sourceNo);
    await noteReplaced(trx, sourceNo, destNo, last);
    await sql`
      update reembed.aliases set index_no = ${destNo} where name = any(${aliases}::text[])`.execute(trx);
    await followAliases(trx, aliases);
    await trx.deleteFrom('reembed.reindex_locks').where('lock', '=', step.lock).execute();
    const since = Math.max(last, await lastChangeOf(trx, destNo));
    await insertMirror(trx, { sourceNo: destNo, destNo: sourceNo }, step.next, { since, rollBack: report });
    return { kind: 'done', mark: before, report };
  });
}

async function findReport(trx: Trx, lock: string): Promise<RollBackReport | null> {
  const row = await trx
    .selectFrom('reembed.reindex_locks')
    .select('roll_back')
    .where('lock', '=', lock)
    .executeTakeFirst();
  return row?.roll_back ?? null;
}

async function requireServable(trx: Trx, no: number): Promise<IndexRow> {
  const index = await findIndexByNo(trx, no);
  if (!index) throw new ReembedError('IndexNotFound', 'the index was deleted');
  requireActive(index);
  return index;
}

async function aliasesOf(trx: Trx, from: IndexRow, among: readonly string[] | null): Promise<string[]> {
  const aliases = await listAliasesOf(trx, from.no);
  const moved = among === null ? aliases : aliases.filter((alias) => among.includes(alias));
  const refuse = (message: string) => {
    return new ReembedError('RollBackRefused', message, { reason: ROLL_BACK_REFUSALS.noAlias });
  };
  if (moved.length === 0) throw refuse(`no alias points to ${from.name} that could be moved`);
  if (moved.length > MAX_MOVED_ALIASES) {
    throw refuse(`more than ${MAX_MOVED_ALIASES} aliases point to ${from.name}: move them one by one`);
  }
  return moved;
}

async function listAliasesOf(db: Db | Trx, no: number): Promise<string[]> {
  const rows = await db
    .selectFrom('reembed.aliases')
    .select('name')
    .where('index_no', '=', no)
    .orderBy('name')
    .limit(MAX_MOVED_ALIASES + 1)
    .execute();
  return rows.map(({ name }) => name);
}

async function sinceOf(trx: Trx, lock: string): Promise<number> {
  const row = await trx
    .selectFrom('reembed.reindex_locks')
    .select('since_change')
    .where('lock', '=', lock)
    .executeTakeFirst();
  return row?.since_change ?? 0;
}

/** Counts the objects that users wrote and deleted in an index after a change; not those that were copied to it. */
async function countWritten(db: Db | Trx, indexNo: number, since: number) {
  const { rows } = await sql<{ written: number; deleted: number; found: number }>`
    select
      count(*) filter (where copied_from is null and not deleted) as written,
      count(*) filter (where copied_from is null and deleted) as deleted,
      count(*) as found
    from (
      select deleted, copied_from
      from ${tablesOf(indexNo).objects}
      where index_no = ${indexNo} and change > ${since}
      order by change
      limit ${MAX_COUNTED + 1}
    ) changes`.execute(db);
  const { written = 0, deleted = 0, found = 0 } = rows[0] ?? {};
  return { written, deleted, isMore: found > MAX_COUNTED };
}

/** What a roll back would do now, and between which indexes. */
export interface FoundRollBack extends Omit<RollBack, 'taskId' | 'keeperId'> {
  pair: Pair;
}

/** Finds the mirror that a task keeps, as a roll back sees it; undefined if it keeps none. */
export async function findRollBack(db: Db, keeperId: string): Promise<FoundRollBack | undefined> {
  const row = await db
    .selectFrom('reembed.reindex_locks as l')
    .innerJoin('reembed.indexes as s', 's.no', 'l.source_no')
    .innerJoin('reembed.indexes as d', 'd.no', 'l.dest_no')
    .select(['s.no as sourceNo', 's.name as from', 'd.no as destNo', 'd.name as to'])
    .select(['l.lock_time', 'l.since_change', 'l.roll_back as last'])
    .where('l.task_id', '=', keeperId)
    .where('l.mirror', '=', true)
    .executeTakeFirst();
  if (!row) return undefined;
  const { sourceNo, destNo, from, to, last } = row;
  const all = await listAliasesOf(db, sourceNo);
  return {
    ...{ from, to, last, pair: { sourceNo, destNo }, since: row.lock_time.toISOString() },
    aliases: all.slice(0, MAX_MOVED_ALIASES),
    ...(await countWritten(db, sourceNo, row.since_change ?? 0)),
  };
}
