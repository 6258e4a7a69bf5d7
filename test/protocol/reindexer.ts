import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { ReembedError } from '../../src/contract/errors.ts';
import { findIndexByNo, resolveIndex } from '../../src/store/indexes.ts';
import type { BehindObject, BehindPage, Pair } from '../../src/store/protocol/copy.ts';
import { endDraining } from '../../src/store/protocol/draining.ts';
import { lockPair, releaseLock } from '../../src/store/protocol/lock-pair.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { lockRequest } from '../store/builders.ts';
import type { Steps } from './steps.ts';
import { addIndex, note, type Pause, ProcessDied, stepper, untilDone, type World } from './world.ts';
import { copy } from './writer.ts';

export interface Rebuild {
  /** A new index, or the one before the last, which may hold anything. */
  into: 'new' | 'another';
  /** Replaces the destination's own content instead of being refused. */
  replaces: boolean;
  /** Keeps the old index current after the cut-over, for this number of passes. */
  passes: number | null;
  /** Number of times that it is rolled back, and forward again, before each of which it is kept current. */
  turns: number;
}

const LOCK_SECONDS = 60;
const TRIES = 5;
const CUT_OVERS = 4;

/** Ends an attempt without an error of the simulation. */
const ENDS = ['LockLost', 'ReindexConflict', 'TooManyFailed', 'InvalidInput'];

interface Run {
  world: World;
  taskId: string;
  lock: string;
  pair: Pair;
  mark: number;
  pause: Pause;
}

/** A reindex of the serving index that is retried whenever its process dies, taking over its earlier lock. */
export async function reindex(world: World, rebuild: Rebuild, pause: Pause): Promise<void> {
  const alias = world.aliases[0] as string;
  const dest = await destOf(world, alias, rebuild);
  if (!dest) return;
  for (let tries = 0; tries < TRIES; tries++) {
    const lock = randomUUID();
    try {
      if ((await attempt(world, { alias, dest, lock, rebuild }, pause)) === 'over') return;
    } catch (error) {
      const isEnd = error instanceof ReembedError && ENDS.includes(error.type);
      if (!isEnd && !(error instanceof ProcessDied)) {
        await letGo(world, dest);
        throw error;
      }
      if (isEnd) note(world, 'lock lost');
      if (isEnd) await untilDone(() => releaseLock(world.db, lock));
    }
    if ((await findIndexByNo(world.db, dest.no))?.builtByLock === lock) return;
  }
  await letGo(world, dest);
}

/** Unfinished: its lock is released, as when it expires. */
async function letGo({ db }: World, dest: IndexRow): Promise<void> {
  await sql`delete from reembed.reindex_locks where dest_no = ${dest.no} and not mirror`.execute(db);
}

async function destOf(world: World, alias: string, { into }: Rebuild): Promise<IndexRow | undefined> {
  if (into === 'new') return untilDone(() => addIndex(world));
  const serving = await resolveIndex(world.db, alias);
  return world.indexes.findLast(({ no }) => no !== serving.no) ?? untilDone(() => addIndex(world));
}

async function attempt(
  world: World,
  { alias, dest, lock, rebuild }: { alias: string; dest: IndexRow; lock: string; rebuild: Rebuild },
  pause: Pause,
): Promise<'again' | 'over'> {
  const { db, steps } = world;
  const step = stepper(pause);
  const taskId = `reindex ${dest.no}`;
  const locked = await step('lock', () => lockPair(db, lockRequest(alias, dest.name, { taskId, lock })));
  if (locked.kind !== 'locked') return 'again';
  const { sourceNo, destNo, mark } = locked;
  const run: Run = { world, taskId, lock, pair: { sourceNo, destNo }, mark, pause };
  if (locked.destHasObjects && !(await prepareDest(run, rebuild))) return 'over';
  await steps.renewLock(db, lock, LOCK_SECONDS);
  await copyAll(run);
  await reconcile(run);
  await steps.renewLock(db, lock, LOCK_SECONDS);
  await step('remove left-overs', () => removeAll(run, false));
  if (!(await step('verify', () => steps.verify(db, run.pair, run.mark)))) {
    await releaseLock(db, lock);
    return 'again';
  }
  await steps.syncFailed(db, taskId, destNo);
  return switchOver(run, alias, rebuild);
}

/** False when the destination has its own content, which is not to be replaced. */
async function prepareDest({ world, lock, pair, pause }: Run, { replaces }: Rebuild): Promise<boolean> {
  const { db, steps } = world;
  const step = stepper(pause);
  const own = await step('look at the destination', () => steps.findOwnContent(db, pair));
  const isOwn = own.newer + own.unknown > 0;
  if (isOwn) note(world, replaces ? 'destination replaced' : 'destination refused');
  if (isOwn && !replaces) {
    await releaseLock(db, lock);
    return false;
  }
  await step('empty the destination', () => removeAll({ world, lock, pair }, true));
  return true;
}

async function removeAll({ world, lock, pair }: Pick<Run, 'world' | 'lock' | 'pair'>, own: boolean) {
  for (let after: string | null = ''; after !== null; ) {
    const options: Parameters<Steps['removeLeftOvers']>[3] = { own, after, limit: 2 };
    ({ after } = await world.steps.removeLeftOvers(world.db, lock, pair, options));
  }
}

async function copyAll(run: Run): Promise<void> {
  const { world, pair, pause } = run;
  const step = stepper(pause);
  for (let after: string | null = null; ; ) {
    const range: { after: string | null; until: null } = { after, until: null };
    const read = () => world.steps.readBehind(world.db, pair, range, 2);
    const { objects }: BehindPage = await step('read a slice', read);
    if (objects.length === 0) return;
    await step('copy a slice', () => copyTo(run, objects));
    after = objects.at(-1)?.id ?? null;
  }
}

function copyTo({ world, taskId, lock, pair }: Run, objects: readonly BehindObject[]): Promise<void> {
  return copy(world, { taskId, lock, destNo: pair.destNo }, objects);
}

async function reconcile(run: Run): Promise<void> {
  const { world, pair, pause } = run;
  const { db, steps } = world;
  const step = stepper(pause);
  const until = await step('mark', () => steps.markChanges(db, pair.sourceNo));
  const { objects } = await step('read changes', () => steps.readChanged(db, pair, { after: run.mark, until }, 1_000));
  await step('copy changes', () => copyTo(run, objects));
  run.mark = until;
}

async function switchOver(run: Run, alias: string, { passes, turns }: Rebuild): Promise<'again' | 'over'> {
  const { world, lock, pair, pause } = run;
  const { db, steps } = world;
  const step = stepper(pause);
  const taskId = `retire ${pair.sourceNo}`;
  const mirror = passes === null ? null : { lock: randomUUID(), taskId, lockSeconds: LOCK_SECONDS };
  for (let tries = 0; tries < CUT_OVERS; tries++) {
    await steps.renewLock(db, lock, LOCK_SECONDS);
    await step('drain', () => steps.setDraining(db, lock, 60));
    await reconcile(run);
    // Dies after it as well: the next process asks the same again.
    const cut = () => steps.cutOver(db, { lock, ...pair, mark: run.mark, alias, mirror });
    const outcome = await untilDone(() => step('cut over', cut));
    if (outcome.kind === 'done') {
      note(world, 'cut-over');
      world.trials.delete(pair.destNo);
      const back = { sourceNo: pair.destNo, destNo: pair.sourceNo };
      const kept = { ...run, taskId, lock: mirror?.lock ?? '', pair: back, mark: outcome.mark };
      if (mirror) await keepCurrent(kept, { passes: passes ?? 0, turns });
      return 'over';
    }
    await step('let the writers go', () => endDraining(db, lock));
  }
  await releaseLock(db, lock);
  return 'again';
}

/**
 * The task that retires the old index: forwards to it what is written to the new one, and swaps both when it rolls back,
 * until it ends or dies.
 */
async function keepCurrent(run: Run, { passes, turns }: Pick<Rebuild, 'turns'> & { passes: number }): Promise<void> {
  let kept = run;
  let moved: readonly string[] | null = null;
  try {
    for (let turn = 0; turn <= turns; turn++) {
      for (let pass = 0; pass < passes; pass++) {
        await kept.world.steps.renewLock(kept.world.db, kept.lock, LOCK_SECONDS);
        await reconcile(kept);
      }
      if (turn === turns) break;
      const isForward = kept.pair.destNo !== run.pair.destNo;
      const turned = await rollBack(kept, isForward ? moved : null);
      if (turned) ({ kept, moved } = turned);
    }
    await releaseLock(kept.world.db, kept.lock);
  } catch (error) {
    const isOver = error instanceof ProcessDied || (error instanceof ReembedError && error.type === 'LockLost');
    if (!isOver) throw error;
  }
}

/** Rolls back, and returns the task's state from then on; null if the other index is not current. */
async function rollBack(run: Run, aliases: readonly string[] | null): Promise<{ kept: Run; moved: string[] } | null> {
  const { world, lock, pair, taskId, pause } = run;
  const { db, steps } = world;
  const step = stepper(pause);
  await steps.renewLock(db, lock, LOCK_SECONDS);
  await reconcile(run);
  const lack = await step('compare', () => steps.findLack(db, pair, 0));
  const isLate = lack.firstChange > 0 && lack.firstChange <= run.mark;
  if (isLate || lack.deleted > 0) return notRolledBack(world);
  const next = { lock: randomUUID(), taskId, lockSeconds: LOCK_SECONDS };
  try {
    await step('drain', () => steps.setDraining(db, lock, 60));
    await reconcile(run);
    const turn = () => steps.rollBack(db, { lock, next, aliases, mark: run.mark, by: null, reason: null });
    const outcome = await untilDone(() => step('roll back', turn));
    if (outcome.kind === 'done') {
      note(world, 'rolled back');
      const kept = { ...run, lock: next.lock, mark: outcome.mark };
      kept.pair = { sourceNo: pair.destNo, destNo: pair.sourceNo };
      return { kept, moved: outcome.report.aliases };
    }
  } catch (error) {
    if (!(error instanceof ReembedError && error.type === 'RollBackRefused')) throw error;
  }
  await step('let the writers go', () => endDraining(db, lock));
  return notRolledBack(world);
}

function notRolledBack(world: World): null {
  note(world, 'not rolled back');
  return null;
}
