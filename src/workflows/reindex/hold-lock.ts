import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { longControl } from '../activities.ts';
import type { TaskContext } from '../task/types.ts';

/** Once the history is long, each renewal doubles the seconds of a short lock up to these: they must not fill it. */
const LONG_LOCK_SECONDS = 900;

/**
 * Runs steps that need a reindex lock and renews the lock every third of its duration. If the lock is lost, cancels the
 * steps and throws the error: another task holds it now.
 */
export async function holdLock(
  task: TaskContext,
  lock: string,
  lockSeconds: number,
  steps: (stopRenewing: () => void) => Promise<void>,
): Promise<void> {
  const renewals = new CancellationScope();
  const work = new CancellationScope();
  let lost: unknown;
  const renewing = renewals.run(async () => {
    try {
      for (let seconds = lockSeconds; ; ) {
        await sleep((seconds * 1_000) / 3, { summary: 'renew the reindex lock' });
        seconds = task.isLong() ? Math.max(lockSeconds, Math.min(2 * seconds, LONG_LOCK_SECONDS)) : lockSeconds;
        // Not a local activity: one that ends while another activity runs may be replayed in a different order.
        const lockExpireTime = await longControl.renewLock(lock, seconds);
        task.setLock({ lock, lockTime: task.tracker.lockTime ?? '', lockExpireTime });
      }
    } catch (error) {
      if (isCancellation(error)) return;
      lost = error;
      work.cancel();
    }
  });
  try {
    await work.run(() => steps(() => renewals.cancel()));
  } catch (error) {
    throw isCancellation(error) && lost !== undefined ? lost : error;
  } finally {
    renewals.cancel();
    await CancellationScope.nonCancellable(() => renewing);
  }
}
