import { setTimeout as delay } from 'node:timers/promises';
import { ReembedError } from '../../contract/errors.ts';
import type { Db, Trx } from '../database.ts';
import { findIndex, findIndexByNo, requireActive } from '../indexes.ts';
import { readTables } from '../partitions.ts';
import { type Claim, requireOwnName } from '../placement/names.ts';
import type { IndexRow } from '../schema.ts';
import { followAliases } from '../search-views.ts';
import { noteAliasMoved } from '../sources/rows.ts';
import { markChanges, type Pair } from './copy.ts';
import { createDeadline, type Deadline, isWaitOver, transactionUntil, whileDraining } from './draining.ts';
import { holdGatesExclusive, lockNames } from './gate.ts';
import { findLack, isLacking, type Lack, notCurrent } from './lack.ts';
import { dropExpiredLocks, type Lock, lockOnDest, locksTouching } from './locks.ts';
import { noteReplaced } from './origins.ts';
import { lastChangeOf } from './versions.ts';
import { isWithoutVectors } from './without-vectors.ts';

export interface AliasMove {
  /** Moves the alias even if the index lacks something. */
  force?: boolean;
  /** Seconds allowed for forwards in progress, and again for blocking writers; default: 5. */
  drainSeconds?: number;
  /** For a new alias in a database other than the main one. */
  claim?: Claim | null;
}

const DRAIN_SECONDS = 5;
const POLL_MS = 50;
/** Number of attempts when another client moves the alias at the same time. */
const TRIES = 5;

/** The current and the new target of an alias. */
interface Move {
  index: IndexRow;
  pair: Pair;
  from: string;
}

type Outcome = { kind: 'moved' } | { kind: 'lacking'; lack: Lack } | { kind: 'again' } | { kind: 'busy' };

/** Implements `setAlias`; see there for its guarantees. */
export async function moveAlias(db: Db, alias: string, indexName: string, options: AliasMove): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryMove(db, alias, indexName, options);
    if (outcome.kind === 'moved') return;
    if (outcome.kind === 'again' && attempt < TRIES) continue;
    const why = outcome.kind === 'busy' ? 'it is in use' : 'others moved it too';
    throw new ReembedError(
      'NotCurrent',
      `${alias} could not be moved to ${indexName} in time because ${why}: try again`,
    );
  }
}

async function tryMove(db: Db, alias: string, indexName: string, options: AliasMove): Promise<Outcome> {
  const move = await findMove(db, alias, indexName);
  const { force = false, drainSeconds = DRAIN_SECONDS } = options;
  if (!move) {
    if (!force) await requireVectors(db, alias, indexName);
    return switchAlias(db, alias, indexName, { from: null, after: null, claim: options.claim });
  }
  return readTables(move.index, async () => {
    const fail = (lack: Lack) => notCurrent(indexName, move.from, lack);
    const mirror = await findMirror(db, move.pair);
    const first = await whatIsBehind(db, move.pair, mirror ? createDeadline(drainSeconds * 1_000) : null);
    if (isLacking(first.lack) && !force) throw fail(first.lack);
    if (!force) await requireVectors(db, alias, indexName);
    const step = { from: move.pair.sourceNo, after: first.after };
    const attempt = async (deadline?: Deadline) => switchAlias(db, alias, indexName, step, deadline);
    const outcome = mirror ? await drainAndSwitch(db, mirror.lock, drainSeconds, attempt) : await attempt();
    if (outcome.kind !== 'lacking') return outcome;
    if (!force) throw fail(outcome.lack);
    return switchAlias(db, alias, indexName, { ...step, after: null });
  });
}

/** Returns the index that an alias would move to: undefined if it points there already, or never can. */
export async function findIndexToServe(db: Db, alias: string, indexName: string): Promise<IndexRow | undefined> {
  const index = await findIndex(db, indexName);
  if (index?.state !== 'active') return undefined;
  const row = await db.selectFrom('reembed.aliases').select('index_no').where('name', '=', alias).executeTakeFirst();
  return row?.index_no === index.no ? undefined : index;
}

/** An index in which nothing could be embedded answers every search with nothing. */
async function requireVectors(db: Db, alias: string, indexName: string): Promise<void> {
  const index = await findIndexToServe(db, alias, indexName);
  if (!index || !(await readTables(index, () => isWithoutVectors(db, index.no)))) return;
  throw new ReembedError(
    'NotCurrent',
    `${alias} is not moved: no object of ${indexName} has vectors, so searches would find nothing; set force to move it all the same`,
    { reason: 'without-vectors' },
  );
}

async function findMove(db: Db, alias: string, indexName: string): Promise<Move | null> {
  const index = await findIndex(db, indexName);
  const current = await db
    .selectFrom('reembed.aliases as a')
    .innerJoin('reembed.indexes as i', 'i.no', 'a.index_no')
    .select(['i.no', 'i.name'])
    .where('a.name', '=', alias)
    .executeTakeFirst();
  if (!index || !current || current.no === index.no) return null;
  return { index, from: current.name, pair: { sourceNo: current.no, destNo: index.no } };
}

/** Finds the unexpired mirror that keeps the destination current. */
async function findMirror(db: Db | Trx, pair: Pair): Promise<Lock | undefined> {
  const lock = await lockOnDest(db, pair.destNo);
  return lock?.mirror && lock.sourceNo === pair.sourceNo ? lock : undefined;
}

/**
 * Compares both indexes completely before any gate closes. Few changes follow, and these are compared under the gates.
 * While a mirror forwards, waits for the forwards in progress without blocking anybody.
 */
async function whatIsBehind(db: Db, pair: Pair, deadline: Deadline | null): Promise<{ lack: Lack; after: number }> {
  const mark = await markChanges(db, pair.sourceNo, deadline ?? undefined);
  let lack = await findLack(db, pair, 0);
  const isLate = () => lack.firstChange > 0 && lack.firstChange <= mark;
  while (deadline && isLate() && deadline.leftMs() > 0) {
    await delay(POLL_MS);
    const after = lack.firstChange - 1;
    const { deleted, examples } = lack;
    lack = await findLack(db, pair, after);
    if (deleted > 0) lack = { ...lack, deleted, examples: [...lack.examples, ...examples].slice(0, 5) };
  }
  if (isLate() || !deadline) return { lack, after: lack.firstChange > 0 ? lack.firstChange - 1 : mark };
  // Changes after the mark are left to the drain.
  return { lack: { ...lack, behind: 0, withoutVectors: 0 }, after: mark };
}

/** Blocks writers to the source until their writes are in the destination, then moves the alias; takes some seconds. */
async function drainAndSwitch(
  db: Db,
  lock: string,
  drainSeconds: number,
  attempt: (deadline: Deadline) => Promise<Outcome>,
): Promise<Outcome> {
  const deadline = createDeadline(drainSeconds * 1_000);
  let outcome: Outcome | undefined;
  try {
    return await whileDraining(db, lock, deadline, async () => {
      for (;;) {
        outcome = await attempt(deadline);
        // Only forwards in progress arrive without further action.
        if (outcome.kind !== 'lacking' || outcome.lack.behind === 0 || deadline.leftMs() === 0) return outcome;
        await delay(Math.min(POLL_MS, deadline.leftMs()));
      }
    });
  } catch (error) {
    if (isWaitOver(error)) return outcome ?? { kind: 'busy' };
    // The mirror has ended: the next attempt finds out why.
    if (error instanceof ReembedError && error.type === 'LockLost') return { kind: 'again' };
    throw error;
  }
}

/**
 * Moves the alias under the gates if it still points to `from` (null: nowhere, or already to the index) and the index
 * has all changes after a mark. With `after` null, does not compare them.
 */
async function switchAlias(
  db: Db,
  alias: string,
  indexName: string,
  { from, after, claim = null }: { from: number | null; after: number | null; claim?: Claim | null | undefined },
  deadline?: Deadline,
): Promise<Outcome> {
  return transactionUntil(db, deadline, async (trx): Promise<Outcome> => {
    await lockNames(trx);
    const index = await findIndex(trx, indexName);
    if (!index) throw new ReembedError('IndexNotFound', `there is no index ${indexName}`);
    requireActive(index);
    if (await findIndex(trx, alias)) throw new ReembedError('NameTaken', `${alias} is the name of an index`);
    const row = await trx.selectFrom('reembed.aliases').select('index_no').where('name', '=', alias).executeTakeFirst();
    if (row?.index_no === index.no) return { kind: 'moved' };
    if ((row?.index_no ?? null) !== from) return { kind: 'again' };
    if (!row) await requireOwnName(trx, 'index', alias, claim);
    const touched = from === null ? [index.no] : [from, index.no];
    await holdGatesExclusive(trx, ...touched);
    // Again, because the index may have been marked for deletion before the gate closed.
    const state = (await findIndexByNo(trx, index.no))?.state ?? 'deleting';
    requireActive({ name: indexName, state });
    await dropExpiredLocks(trx, touched);
    const held = (await locksTouching(trx, touched)).find(({ mirror }) => !mirror);
    if (held)
      throw new ReembedError('IndexLocked', `the task ${held.taskId} locks one of these indexes: cancel it first`);
    if (from !== null && after !== null) {
      const lack = await findLack(trx, { sourceNo: from, destNo: index.no }, after);
      if (isLacking(lack)) return { kind: 'lacking', lack };
      await noteReplaced(trx, from, index.no, await lastChangeOf(trx, from));
    }
    await trx
      .insertInto('reembed.aliases')
      .values({ name: alias, index_no: index.no })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ index_no: index.no }))
      .execute();
    await followAliases(trx, [alias]);
    await noteAliasMoved(trx, alias);
    if (from !== null) await endMirror(trx, { sourceNo: from, destNo: index.no });
    return { kind: 'moved' };
  });
}

/** Ends the mirror of an index that serves again, unless the index that it was retired for serves other aliases. */
async function endMirror(trx: Trx, pair: Pair): Promise<void> {
  const others = await trx.selectFrom('reembed.aliases').select('name').where('index_no', '=', pair.sourceNo).execute();
  if (others.length > 0) return;
  await trx
    .deleteFrom('reembed.reindex_locks')
    .where('mirror', '=', true)
    .where('source_no', '=', pair.sourceNo)
    .where('dest_no', '=', pair.destNo)
    .execute();
}
