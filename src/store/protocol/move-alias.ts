import { setTimeout as delay } from 'node:timers/promises';
import { ReembedError } from '../../contract/errors.ts';
import type { Db, Trx } from '../database.ts';
import { findIndex, findIndexByNo } from '../indexes.ts';
import { readTables } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { markChanges, type Pair } from './copy.ts';
import { createDeadline, type Deadline, isWaitOver, transactionUntil, whileDraining } from './draining.ts';
import { closeCatalog, closeGates } from './gate.ts';
import { findLack, isLacking, type Lack, notCurrent } from './lack.ts';
import { dropExpiredLocks, type Lock, lockOnDest, locksTouching } from './locks.ts';
import { noteReplaced } from './origins.ts';
import { lastChangeOf } from './versions.ts';

export interface AliasMove {
  /** Move it although the index lacks something. */
  force?: boolean;
  /** How long forwards that are under way may take, and for how long then writers are held back, each; 5 s if absent. */
  drainSeconds?: number;
}

const DRAIN_SECONDS = 5;
const POLL_MS = 50;
/** Another one moved the alias meanwhile: as often it is begun again. */
const TRIES = 5;

/** Where an alias points and where it is to point; null: it points nowhere yet, or there already. */
interface Move {
  index: IndexRow;
  pair: Pair;
  from: string;
}

type Outcome = { kind: 'moved' } | { kind: 'lacking'; lack: Lack } | { kind: 'again' } | { kind: 'busy' };

/** What `setAlias` does; its comment says what it promises. */
export async function moveAlias(db: Db, alias: string, indexName: string, options: AliasMove): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryMove(db, alias, indexName, options);
    if (outcome.kind === 'moved') return;
    if (outcome.kind === 'again' && attempt < TRIES) continue;
    const why = outcome.kind === 'busy' ? 'writers or others hold it' : 'others move the alias too';
    throw new ReembedError(
      'NotCurrent',
      `${alias} could not be moved to ${indexName} in time, since ${why}: try again`,
    );
  }
}

async function tryMove(db: Db, alias: string, indexName: string, options: AliasMove): Promise<Outcome> {
  const move = await findMove(db, alias, indexName);
  const { force = false, drainSeconds = DRAIN_SECONDS } = options;
  if (!move) return switchAlias(db, alias, indexName, { from: null, after: null });
  return readTables(move.index, async () => {
    const fail = (lack: Lack) => notCurrent(indexName, move.from, lack);
    const mirror = await findMirror(db, move.pair);
    const first = await whatIsBehind(db, move.pair, mirror ? createDeadline(drainSeconds * 1_000) : null);
    if (isLacking(first.lack) && !force) throw fail(first.lack);
    const step = { from: move.pair.sourceNo, after: first.after };
    const attempt = async (deadline?: Deadline) => switchAlias(db, alias, indexName, step, deadline);
    const outcome = mirror ? await drainAndSwitch(db, mirror.lock, drainSeconds, attempt) : await attempt();
    if (outcome.kind !== 'lacking') return outcome;
    if (!force) throw fail(outcome.lack);
    return switchAlias(db, alias, indexName, { ...step, after: null });
  });
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

/** The mirror that keeps the destination current, if there is one that has not expired. */
async function findMirror(db: Db | Trx, pair: Pair): Promise<Lock | undefined> {
  const lock = await lockOnDest(db, pair.destNo);
  return lock?.mirror && lock.sourceNo === pair.sourceNo ? lock : undefined;
}

/**
 * Compares both indexes whole before any gate closes: what changes from then on is little, and compared under the gates.
 * While a mirror forwards, what is on its way is waited for, without holding anybody back.
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
  // What came after the mark is for the drain.
  return { lack: { ...lack, behind: 0, withoutVectors: 0 }, after: mark };
}

/** Holds the writers of the source back until what they wrote is there too, and moves the alias; some seconds at most. */
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
        // Only what is on its way comes by itself.
        if (outcome.kind !== 'lacking' || outcome.lack.behind === 0 || deadline.leftMs() === 0) return outcome;
        await delay(Math.min(POLL_MS, deadline.leftMs()));
      }
    });
  } catch (error) {
    if (isWaitOver(error)) return outcome ?? { kind: 'busy' };
    // The mirror has ended meanwhile: the next try finds out what that means.
    if (error instanceof ReembedError && error.type === 'LockLost') return { kind: 'again' };
    throw error;
  }
}

/**
 * Moves the alias under the gates, if it still points to `from` (null: nowhere, or to the index already) and the index
 * has all changes after a mark; `after` null: whatever it lacks.
 */
async function switchAlias(
  db: Db,
  alias: string,
  indexName: string,
  { from, after }: { from: number | null; after: number | null },
  deadline?: Deadline,
): Promise<Outcome> {
  return transactionUntil(db, deadline, async (trx): Promise<Outcome> => {
    await closeCatalog(trx);
    const index = await findIndex(trx, indexName);
    if (!index) throw new ReembedError('IndexNotFound', `there is no index ${indexName}`);
    if (index.state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${indexName} is being deleted`);
    if (await findIndex(trx, alias)) throw new ReembedError('NameTaken', `${alias} is the name of an index`);
    const row = await trx.selectFrom('reembed.aliases').select('index_no').where('name', '=', alias).executeTakeFirst();
    if (row?.index_no === index.no) return { kind: 'moved' };
    if ((row?.index_no ?? null) !== from) return { kind: 'again' };
    const touched = from === null ? [index.no] : [from, index.no];
    await closeGates(trx, ...touched);
    // Again: before the gate closed, the index may have been marked as being deleted.
    const state = (await findIndexByNo(trx, index.no))?.state ?? 'deleting';
    if (state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${indexName} is being deleted`);
    await dropExpiredLocks(trx, touched);
    const held = (await locksTouching(trx, touched)).find(({ mirror }) => !mirror);
    if (held)
      throw new ReembedError('IndexLocked', `the task ${held.taskId} holds an index of this switch: cancel it first`);
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
    if (from !== null) await endMirror(trx, { sourceNo: from, destNo: index.no });
    return { kind: 'moved' };
  });
}

/** Nobody is to keep an index current any more that serves again; unless the one it was retired for serves others. */
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
