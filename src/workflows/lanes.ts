import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs `count` lanes side by side and waits for all of them, also when one fails: it stops the others, and its error is
 * thrown once they have stopped. Nothing of an attempt then goes on beside the next one.
 */
export async function runLanes(count: number, lane: (at: number) => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  const failures: unknown[] = [];
  const guarded = async (at: number) => {
    try {
      await lane(at);
    } catch (error) {
      failures.push(error);
      scope.cancel();
    }
  };
  await scope.run(() => Promise.all(Array.from({ length: count }, (_, at) => guarded(at))));
  if (failures.length > 0) throw failures[0];
}
