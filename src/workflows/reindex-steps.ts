import { CancellationScope, sleep, uuid4 } from '@temporalio/workflow';
import type { CopyCounts, LockPairResult } from '../contract/activities.ts';
import type { LockedPair, ReindexInput, ReindexState } from '../contract/workflow-inputs.ts';
import { control, cutOverActivities, embedActivities, indexActivities, longControl } from './activities.ts';
import { RefusedError } from './errors.ts';
import { orHold } from './holding.ts';
import type { SliceSteering } from './reindex-copy.ts';
import type { Task } from './task.ts';

/** As in the contract's schema, for workflows started with less. */
export const DEFAULTS = {
  onConflict: 'wait',
  waitSeconds: 1_200,
  concurrency: 4,
  batchSize: 256,
  maxFailed: 0.01,
  destExisting: 'refuse',
  retire: 'never',
  lockSeconds: 900,
  drainSeconds: 5,
} as const;

export type ReindexSettings = ReindexInput & Required<Pick<ReindexInput, keyof typeof DEFAULTS>>;

/** What the steps of one reindex share. */
export interface ReindexRun {
  task: Task;
  settings: ReindexSettings;
  state: ReindexState;
  slices: SliceSteering;
}

/** Reconciling ends when a pass brought fewer objects than this, or after so many passes. */
const SMALL_PASS = 200;
const MOST_PASSES = 20;
const LONGEST_CUT_OVER_WAIT_SECONDS = 60;
/** How soon a reindex that waits looks whether it may begin: first, and after longer and longer. */
const FIRST_LOOK_SECONDS = 2;
const LONGEST_LOOK_SECONDS = 15;

function enter({ task }: ReindexRun, phase: string, detail: string): void {
  task.tracker.data.phase = phase;
  task.setDetail(detail);
  task.report({});
}

function pairOf({ task, settings, state }: ReindexRun) {
  const { lock, sourceNo, destNo } = state.locked as LockedPair;
  const { batchSize } = settings;
  return { taskId: task.id, lock, sourceNo, destNo, batchSize, mark: state.mark, ratePerSecond: state.ratePerSecond };
}

/** Step 1: takes the lock, or waits until it can be had, or is refused. */
export async function lockIndexes(run: ReindexRun): Promise<LockedPair> {
  const { task, settings, state } = run;
  const lock = uuid4();
  for (;;) {
    enter(run, 'lock', `locking ${settings.source} and ${settings.dest}`);
    const result = await takeLock(run, lock);
    if (result.kind === 'locked') {
      const { kind: _kind, mark, lockTime, lockExpireTime, ...pair } = result;
      const keepsCurrent = typeof settings.retire === 'object' && settings.retire.keepCurrent === true;
      const locked: LockedPair = { ...pair, mirrorLock: keepsCurrent ? uuid4() : null };
      Object.assign(state, { locked, mark, copied: false, copiedTo: null, isCopyBegun: false });
      Object.assign(task.tracker.data, { source: locked.source, dest: settings.dest, alias: locked.alias });
      task.setLock({ lock, lockTime, lockExpireTime });
      return locked;
    }
    task.tracker.data.conflict = result.reason;
    if (result.alwaysRefused || settings.onConflict === 'refuse') throw new RefusedError(result.reason, result.detail);
    await waitForWay(run, lock, result.detail);
    delete task.tracker.data.conflict;
    task.continueIfLong();
  }
}

/**
 * Waits until what is in the way is gone, someone sends `resume` or `restart`, or it is time to try again all the same.
 * It is looked at every few seconds: a lock that expires, or whose task was terminated, tells nobody.
 */
async function waitForWay({ task, settings }: ReindexRun, lock: string, detail: string): Promise<void> {
  const looks = new CancellationScope();
  let isFree = false;
  const looking = looks.run(async () => {
    for (let seconds = FIRST_LOOK_SECONDS; !isFree; seconds = Math.min(LONGEST_LOOK_SECONDS, seconds * 2)) {
      await sleep(seconds * 1_000, { summary: 'before the look at what is in the way' });
      const request = { taskId: task.id, lock, input: settings };
      isFree = await longControl.isInTheWay(request).then((inTheWay) => !inTheWay);
    }
  });
  looking.catch(() => {
    // Canceled, or the database is away: then the time decides.
  });
  try {
    await task.waitFor(`${detail}; this begins when it is gone`, settings.waitSeconds, {
      isOver: () => isFree,
      onResume: true,
    });
  } finally {
    looks.cancel();
    await CancellationScope.nonCancellable(() => looking.catch(() => {}));
  }
}

/** A try that was broken off may have taken the lock all the same: then it is given back. */
async function takeLock({ task, settings }: ReindexRun, lock: string): Promise<LockPairResult> {
  try {
    return await longControl.lockPair({ taskId: task.id, lock, input: settings, lanes: settings.concurrency });
  } catch (error) {
    await giveBack(lock);
    throw error;
  }
}

/** Releases a lock whatever happens. Where even that fails, it expires. */
export async function giveBack(lock: string): Promise<void> {
  await CancellationScope.nonCancellable(() => longControl.releaseLock(lock).catch(() => {}));
}

/**
 * Step 2: the destination exists since the lock. What its own writes made must not be served for the source's content,
 * nor be lost silently; its model must answer with the right dimension.
 */
export async function prepare(run: ReindexRun): Promise<void> {
  await prepareDest(run);
  enter(run, 'prepare', `asking the model of ${run.settings.dest}`);
  await orHold(run.task, () => embedActivities().checkModel(pairOf(run).destNo), { isNew: true });
  enter(run, 'copy', `copying ${run.task.tracker.data.source} to ${run.settings.dest}`);
}

async function prepareDest(run: ReindexRun): Promise<void> {
  const { task, settings, state } = run;
  const { destExisting, dest } = settings;
  const isBegun = state.copied || state.copiedTo !== null;
  if (isBegun || !state.locked?.destHasObjects) return;
  enter(run, 'prepare', `looking at what ${dest} holds`);
  const { lock, sourceNo, destNo } = pairOf(run);
  const { refused, newer, unknown, examples, removed } = await longControl.prepareDest({
    ...{ lock, sourceNo, destNo, destExisting },
  });
  task.report({ data: { destBefore: { newer, unknown, examples, removed } } });
  if (!refused) return;
  throw new RefusedError(
    'dest-newer',
    `${dest} holds content of its own: ${newer} objects are newer than in ${state.locked.source}, ${unknown} are ` +
      `unknown there, for instance ${examples.join(', ')}; ask with destExisting "replace" to replace them`,
  );
}

/** Step 4. */
export async function buildIndex(run: ReindexRun): Promise<void> {
  await run.task.checkpoint();
  enter(run, 'index', `building the HNSW index of ${run.settings.dest}`);
  await indexActivities().buildVectorIndex(pairOf(run).destNo);
}

/** Step 5: brings what was written meanwhile, until little is left. */
export async function reconcile(run: ReindexRun): Promise<void> {
  const { task, state } = run;
  enter(run, 'reconcile', 'bringing what was written meanwhile');
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    let brought = 0;
    for (let more = true; more; ) {
      await task.checkpoint();
      const chunk = await orHold(task, () => embedActivities().reconcile(pairOf(run)));
      ({ more } = chunk);
      state.mark = chunk.mark;
      brought += addReconciled(task, chunk.counts);
      task.continueIfLong();
    }
    if (brought < SMALL_PASS) return;
  }
}

function addReconciled(task: Task, counts: CopyCounts): number {
  const brought = counts.copied + counts.tombstones + counts.failed;
  const before = task.tracker.data.reconciled;
  task.report({
    failed: task.tracker.progress.failed + counts.failed,
    data: { reconciled: (typeof before === 'number' ? before : 0) + brought },
  });
  return brought;
}

/** Step 6: proof before the switch. */
export async function verify(run: ReindexRun): Promise<void> {
  const { task, settings } = run;
  await task.checkpoint();
  enter(run, 'verify', `comparing ${settings.dest} with its source`);
  const verified = await embedActivities().verify({ ...pairOf(run), maxFailed: settings.maxFailed });
  task.report({ failed: verified.failed, data: { verified: { ...verified } } });
}

/** The task that deletes the source in the end, and keeps it current until then. */
export const retireIdOf = (task: Task) => `${task.id}/retire/${task.tracker.attempts}`;

/** Step 7: drains, brings the last few and switches; when that takes too long, lets the writers go and tries later. */
export async function switchOver(run: ReindexRun, stopRenewing: () => void): Promise<void> {
  const { task, settings, state } = run;
  const locked = state.locked as LockedPair;
  const { mirrorLock } = locked;
  for (let attempt = 1; ; attempt++) {
    await task.checkpoint();
    enter(run, 'cut-over', `switching to ${settings.dest}`);
    await control.renewLock(locked.lock, settings.lockSeconds);
    const result = await cutOverActivities().cutOver({
      ...pairOf(run),
      alias: locked.alias,
      drainSeconds: settings.drainSeconds,
      mirror:
        mirrorLock === null ? null : { lock: mirrorLock, lockSeconds: settings.lockSeconds, taskId: retireIdOf(task) },
    });
    state.mark = result.mark;
    if (result.kind === 'done') {
      stopRenewing();
      noteCutOver(state, result.mark);
      task.report({ data: { phase: 'done', cutOverTries: attempt, drainMs: result.drainMs } });
      return;
    }
    await sleep(Math.min(LONGEST_CUT_OVER_WAIT_SECONDS, attempt * 5) * 1_000, { summary: 'before the next cut-over' });
    task.continueIfLong();
    await reconcile(run);
  }
}

/** The alias points to the destination and the lock is gone: from here on there is nothing to give back. */
function noteCutOver(state: ReindexState, mark: number): void {
  const { sourceNo, destNo, source, alias, mirrorLock } = state.locked as LockedPair;
  state.cutOver = { sourceNo, destNo, source, alias, mirrorLock, mark };
  state.locked = null;
}

/**
 * True when the switch has happened although its activity did not come to say so: its worker died after the commit, and
 * any later step, in this run or the next, found the lock gone.
 */
export async function hasSwitched({ task, state }: ReindexRun): Promise<boolean> {
  const { locked } = state;
  if (!locked) return false;
  const switched = await CancellationScope.nonCancellable(() =>
    control.wasCutOver(locked.destNo, locked.lock).catch(() => false),
  );
  if (switched) {
    noteCutOver(state, state.mark);
    task.report({ data: { phase: 'done' } });
  }
  return switched;
}
