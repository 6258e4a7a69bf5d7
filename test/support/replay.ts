import './quiet.ts';
import { type ReplayHistoriesIterable, Worker, type WorkflowBundle } from '@temporalio/worker';
import { taskEventSinks } from '../../src/metrics/tasks.ts';

/**
 * Replays histories, all with one worker, since a worker loads the whole bundle.
 * @returns for each run, in the order of their ends, its error, if it does not fit to the code
 */
export async function replay(
  workflowBundle: WorkflowBundle,
  histories: ReplayHistoriesIterable,
): Promise<{ workflowId: string; error?: Error }[]> {
  const results: { workflowId: string; error?: Error }[] = [];
  // The sinks do nothing: a replay counts no task again.
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, sinks: taskEventSinks() },
    histories,
  )) {
    results.push({ workflowId, error });
  }
  return results;
}
