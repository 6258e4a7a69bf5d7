import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { longControl } from './activities.ts';
import type { Task } from './task.ts';

/**
 * Runs steps that need a reindex lock and renews it meanwhile, every third of its length. When the lock turns out to
 * be lost, the steps are stopped and the loss is thrown: whoever took it over is at work now.
 */
export async function keepLock(
  task: Task,
  lock: string,
  lockSeconds: number,
  steps: (stopRenewing: () => void) => Promise<void>,
): Promise<void> {
  const renewals = new CancellationScope();
  const work = new CancellationScope();
  let lost: unknown;
  const renewing = renewals.run(async () => {
    try {
      for (;;) {
        await sleep((lockSeconds * 1_000) / 3, { summary: 'renew the reindex lock' });
        // Not a local activity: one that ends beside another activity may be replayed in another order than it ran.
        const lockExpireTime = await longControl.renewLock(lock, lockSeconds);
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
