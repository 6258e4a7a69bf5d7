import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs `count` lanes in parallel and waits for all of them. If one fails, cancels the others and throws its error once
 * they have stopped, so that no part of an attempt overlaps the next one.
 */
export async function runInParallel(count: number, lane: (at: number) => Promise<void>): Promise<void> {
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
