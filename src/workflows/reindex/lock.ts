import { CancellationScope, isCancellation, sleep, uuid4 } from '@temporalio/workflow';
import type { LockPairRequest, LockPairResult } from '../../contract/reindex-activities.ts';
import type { LockedPair } from '../../contract/reindex-state.ts';
import { longControl } from '../activities.ts';
import { errorOf, RefusedError } from '../task/errors.ts';
import type { ReindexRun } from './run.ts';
import { enter, releaseLock } from './steps.ts';

/** Interval in which a waiting reindex checks whether it can begin: doubles from `first` to `max`. */
const CHECK_SECONDS = { first: 2, max: 15 } as const;

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
async function waitUntilFree({ task, settings, state }: ReindexRun, lock: string, detail: string): Promise<void> {
  const checks = new CancellationScope();
  let isFree = false;
  const checking = checks.run(async () => {
    for (let seconds: number = CHECK_SECONDS.first; !isFree; seconds = Math.min(CHECK_SECONDS.max, seconds * 2)) {
      await sleep(seconds * 1_000, { summary: 'before the next check of what is in the way' });
      const request = { taskId: task.id, lock, input: settings, sourceNo: state.sourceNo };
      isFree = await isFreeNow(request);
    }
  });
  checking.catch(() => {
    // Canceled.
  });
  try {
    await task.waitFor(`${detail}; this one waits`, settings.waitSeconds, {
      // The checks of a wait of days would fill the history.
      isOver: () => isFree || task.isLong(),
      onResume: true,
    });
  } finally {
    checks.cancel();
    await CancellationScope.nonCancellable(() => checking.catch(() => {}));
  }
}

/**
 * Checks whether nothing is in the way any more. A check that can never succeed, because the source was deleted, ends
 * the wait too: taking the lock then says so.
 */
async function isFreeNow(request: LockPairRequest): Promise<boolean> {
  try {
    return !(await longControl.isInTheWay(request));
  } catch (error) {
    if (isCancellation(error)) throw error;
    return !errorOf(error).retryable;
  }
}

/** Takes the lock. On an error, releases it, because the failed call may have taken it. */
async function takeLock({ task, settings, state }: ReindexRun, lock: string): Promise<LockPairResult> {
  try {
    const { sourceNo } = state;
    return await longControl.lockPair({
      taskId: task.id,
      lock,
      input: settings,
      lanes: settings.concurrency,
      sourceNo,
    });
  } catch (error) {
    await releaseLock(lock);
    throw error;
  }
}
