import { CancellationScope, sleep, uuid4 } from '@temporalio/workflow';
import type { CopyCounts, LockPairResult } from '../../contract/activities.ts';
import { enterPhase, leavePhase, phaseTimesOf } from '../../contract/phase-times.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { MAX_FAILED_BATCHES } from '../../contract/waits.ts';
import type { LockedPair, ReindexState } from '../../contract/workflow-inputs.ts';
import { cutOverActivities, embedActivities, indexActivities, longControl } from '../activities.ts';
import { RefusedError } from '../task/errors.ts';
import { BATCHES_FAILED, hold, orHold } from '../task/hold.ts';
import { withStepWaits } from '../task/step-waits.ts';
import type { TaskContext } from '../task/types.ts';
import { copyFailedAgain } from './copy.ts';
import type { ReindexRun } from './run.ts';
import { showUsage } from './usage.ts';

/** Reconciling ends when a pass copied fewer objects than `SMALL_PASS`, or after `MAX_PASSES` passes. */
const SMALL_PASS = 200;
const MAX_PASSES = 20;
const MAX_CUT_OVER_WAIT_SECONDS = 60;
/** Interval in which a waiting reindex checks whether it can begin: doubles from `first` to `max`. */
const CHECK_SECONDS = { first: 2, max: 15 } as const;

/** Shows the step that begins. */
export function enter({ task }: ReindexRun, phase: string, detail: string): void {
  const { data } = task.tracker;
  data.phase = phase;
  data.phaseTimes = enterPhase(phaseTimesOf(data), phase, Date.now());
  task.noteWaits(null);
  task.setDetail(detail);
  task.report({});
}

/** Notes that the current phase is over and none follows. */
export function leave({ data }: Pick<Tracker, 'data'>): void {
  data.phaseTimes = leavePhase(phaseTimesOf(data), Date.now());
}

function pairOf({ task, settings, state }: ReindexRun) {
  const { lock, sourceNo, destNo } = state.locked as LockedPair;
  const { batchSize } = settings;
  return { taskId: task.id, lock, sourceNo, destNo, batchSize, mark: state.mark, ratePerSecond: state.ratePerSecond };
}

/** Step 1: takes the lock, waits until it is available, or throws a `RefusedError`. */
export async function lock(run: ReindexRun): Promise<LockedPair> {
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
      delete state.copyAgain;
      delete state.indexBuild;
      Object.assign(task.tracker.data, { source: locked.source, dest: settings.dest, alias: locked.alias });
      task.setLock({ lock, lockTime, lockExpireTime });
      return locked;
    }
    task.tracker.data.conflict = result.reason;
    if (result.alwaysRefused || settings.onConflict === 'refuse') throw new RefusedError(result.reason, result.detail);
    await waitUntilFree(run, lock, result.detail);
    delete task.tracker.data.conflict;
    task.continueIfLong();
  }
}

/**
 * Waits until the conflict is gone, until `resume` or `restart`, or until it is time to try anyway. Checks every few
 * seconds, because a lock that expires, or whose task was terminated, sends no signal.
 */
async function waitUntilFree({ task, settings }: ReindexRun, lock: string, detail: string): Promise<void> {
  const checks = new CancellationScope();
  let isFree = false;
  const checking = checks.run(async () => {
    for (let seconds: number = CHECK_SECONDS.first; !isFree; seconds = Math.min(CHECK_SECONDS.max, seconds * 2)) {
      await sleep(seconds * 1_000, { summary: 'before the next check of what is in the way' });
      const request = { taskId: task.id, lock, input: settings };
      isFree = await longControl.isInTheWay(request).then((inTheWay) => !inTheWay);
    }
  });
  checking.catch(() => {
    // Canceled, or the database is unavailable: the wait then ends by its timeout.
  });
  try {
    await task.waitFor(`${detail}; this begins when it is gone`, settings.waitSeconds, {
      isOver: () => isFree,
      onResume: true,
    });
  } finally {
    checks.cancel();
    await CancellationScope.nonCancellable(() => checking.catch(() => {}));
  }
}

/** Takes the lock. On an error, releases it, because the failed call may have taken it. */
async function takeLock({ task, settings }: ReindexRun, lock: string): Promise<LockPairResult> {
  try {
    return await longControl.lockPair({ taskId: task.id, lock, input: settings, lanes: settings.concurrency });
  } catch (error) {
    await releaseLock(lock);
    throw error;
  }
}

/** Releases a lock, even after a cancellation. If that fails, the lock expires. */
export async function releaseLock(lock: string): Promise<void> {
  await CancellationScope.nonCancellable(() => longControl.releaseLock(lock).catch(() => {}));
}

/**
 * Step 2: checks the destination, which exists since the lock was taken. Content from its own writes must neither be
 * served as the source's nor be lost silently, and its model must return the right dimension.
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

/** Step 4: builds the destination's HNSW index, or before the copy an empty one that grows; then `why` says so. */
export async function buildIndex(run: ReindexRun, why?: string): Promise<void> {
  await run.task.checkpoint();
  const { dest } = run.settings;
  enter(run, 'index', `building the HNSW index of ${dest}${why === undefined ? '' : `, which ${why}`}`);
  await indexActivities().buildVectorIndex(pairOf(run).destNo);
  if (why !== undefined) enter(run, 'copy', `copying ${run.task.tracker.data.source} to ${dest}`);
}

/** Step 5: copies what was written in the meantime, until little is left. */
export async function reconcile(run: ReindexRun): Promise<void> {
  enter(run, 'reconcile', 'bringing what was written meanwhile');
  await bringChanges(run);
}

/** Copies what was written since the last time, in passes, until a pass copies little. */
export async function bringChanges(run: ReindexRun): Promise<void> {
  const { task, state } = run;
  let failedBatches: number | undefined;
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    let brought = 0;
    for (let more = true; more; ) {
      await task.checkpoint();
      const request = { ...pairOf(run), failedBatches };
      const chunk = await orHold(task, () => withStepWaits(() => embedActivities().reconcile(request)));
      task.noteWaits(chunk.waits);
      ({ more, failedBatches } = chunk);
      state.mark = chunk.mark;
      showUsage(task.tracker, chunk.usage);
      brought += addReconciled(task, chunk.counts);
      if ((failedBatches ?? 0) >= MAX_FAILED_BATCHES) {
        failedBatches = 0;
        await holdAndCopyAgain(run);
      }
      task.continueIfLong();
    }
    if (brought < SMALL_PASS) return;
  }
}

/** Pauses because the changes fail batch after batch. What failed is read by the copy only, not by reconciling. */
async function holdAndCopyAgain(run: ReindexRun): Promise<void> {
  const { phase } = run.task.tracker.data;
  const { detail } = run.task.tracker;
  await hold(run.task, BATCHES_FAILED);
  await copyFailedAgain(run);
  enter(run, String(phase), detail);
}

function addReconciled(task: TaskContext, counts: CopyCounts): number {
  const brought = counts.copied + counts.tombstones + counts.failed;
  const { reconciled: before, reused } = task.tracker.data;
  task.report({
    failed: task.tracker.progress.failed + counts.failed,
    data: {
      reconciled: (typeof before === 'number' ? before : 0) + brought,
      reused: (typeof reused === 'number' ? reused : 0) + (counts.reused ?? 0),
    },
  });
  return brought;
}

/** Step 6: compares the destination with the source before the switch. */
export async function verify(run: ReindexRun): Promise<void> {
  const { task, settings } = run;
  await task.checkpoint();
  enter(run, 'verify', `comparing ${settings.dest} with its source`);
  const verified = await embedActivities().verify({ ...pairOf(run), maxFailed: settings.maxFailed });
  task.report({ failed: verified.failed, data: { verified: { ...verified } } });
}

/** Id of the task that later deletes the source, and may keep it current until then. */
export const retireIdOf = (task: TaskContext) => `${task.id}/retire/${task.tracker.attempts}`;

/** Step 7: drains writers, copies the last changes and switches. If that takes too long, releases them and retries. */
export async function cutOver(run: ReindexRun, stopRenewing: () => void): Promise<void> {
  const { task, settings, state } = run;
  const locked = state.locked as LockedPair;
  const { mirrorLock } = locked;
  for (let attempt = 1; ; attempt++) {
    await task.checkpoint();
    enter(run, 'cut-over', `switching to ${settings.dest}`);
    await longControl.renewLock(locked.lock, settings.lockSeconds);
    const mirror = mirrorLock === null ? null : mirrorLockOf(run, mirrorLock);
    const { alias } = locked;
    const { drainSeconds } = settings;
    const result = await orHold(task, () =>
      cutOverActivities().cutOver({ ...pairOf(run), alias, drainSeconds, mirror }),
    );
    state.mark = result.mark;
    if (result.kind === 'done') {
      stopRenewing();
      recordCutOver(state, result.mark);
      leave(task.tracker);
      task.report({ data: { phase: 'done', cutOverTries: attempt, drainMs: result.drainMs } });
      return;
    }
    await sleep(Math.min(MAX_CUT_OVER_WAIT_SECONDS, attempt * 5) * 1_000, { summary: 'before the next cut-over' });
    task.continueIfLong();
    await reconcile(run);
  }
}

/** The lock under which the source is kept current after the cut-over. A shadow goes on: it then searches the source. */
function mirrorLockOf({ task, settings, reads }: ReindexRun, lock: string) {
  const { lockSeconds, watch } = settings;
  return { lock, lockSeconds, taskId: retireIdOf(task), shadow: reads.shadow(), ...(watch && { watch: true }) };
}

/** Records that the alias points to the destination and the lock is gone: there is nothing left to release. */
function recordCutOver(state: ReindexState, mark: number): void {
  const { sourceNo, destNo, source, alias, mirrorLock } = state.locked as LockedPair;
  state.cutOver = { sourceNo, destNo, source, alias, mirrorLock, mark };
  state.locked = null;
}

/**
 * Returns true if the switch has happened although its activity did not report it: the worker died after the commit,
 * and a later step, in this run or the next, found the lock gone.
 */
export async function wasCutOver({ task, state }: ReindexRun): Promise<boolean> {
  const { locked } = state;
  if (!locked) return false;
  const switched = await CancellationScope.nonCancellable(() =>
    longControl.wasCutOver(locked.destNo, locked.lock).catch(() => false),
  );
  if (switched) {
    recordCutOver(state, state.mark);
    leave(task.tracker);
    task.report({ data: { phase: 'done' } });
  }
  return switched;
}
