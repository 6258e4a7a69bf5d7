import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ReembedError } from '../../contract/errors.ts';
import { STEERING_KEPT } from '../../contract/failures.ts';
import { type Carried, HAND_OVER_VERSION } from '../../contract/hand-over.ts';
import { SIGNAL } from '../../contract/names.ts';
import { effectOf } from '../../contract/steering.ts';
import { factsOf, isStartable, type StartableType } from '../../contract/task-types.ts';
import type { SteeringEntry, Tracker } from '../../contract/tasks.ts';
import { readArguments } from './input.ts';
import { launch } from './launch.ts';
import { type DescribedTask, describeTask, getTracker, readTask } from './read.ts';
import { deleteRun } from './start.ts';
import { type SteeringOptions, sendSignal, settle } from './steer.ts';

export interface RestartOptions extends SteeringOptions {
  /** Also restart a task that is exhausted or ignored. */
  force?: boolean;
  /** Retry only the failed items of an ended task. */
  onlyFailed?: boolean;
}

/**
 * Runs a task again. A running task ignores it while processing, and continues immediately if it waits, is paused or
 * backs off. An ended task starts a new run with the same id, input and version, whose tracker continues to count
 * attempts; an exhausted or ignored one needs `force`. With `onlyFailed`, the new run retries only the failed items,
 * and does nothing if there are none. Concurrent calls start one new run. Errors: `TaskClosed` without a needed
 * `force`, or if `onlyFailed` would skip items that were never tried; `InvalidInput` for `onlyFailed` on a task without
 * items; `TaskNotFound`, `TemporalUnavailable`.
 */
export async function restartTask(client: Client, taskId: string, options: RestartOptions = {}): Promise<Tracker> {
  const { force = false, onlyFailed = false, by } = options;
  const described = await describeTask(client, taskId);
  const { taskType } = described;
  if (onlyFailed && !(isStartable(taskType) && factsOf(taskType).hasFailedItems)) {
    throw new ReembedError('InvalidInput', `onlyFailed: a task of type ${taskType} has no failed items`);
  }
  const call = force ? 'restart with force' : 'restart';
  if (described.running && (await sendSignal(client, taskId, SIGNAL.restart, [{ force }], by))) {
    return settle(client, taskId, ({ tracker }) => effectOf(tracker.status, false, call) !== 'continues');
  }
  if (!isStartable(taskType)) {
    throw new ReembedError('TaskClosed', `${taskId} is a slice of a reindex: restart the reindex instead`);
  }
  const { tracker, ended } = await readTask(client, taskId);
  if (!ended) return tracker; // another call has restarted it
  if (effectOf(tracker.status, true, call) === 'tooLate') {
    throw new ReembedError('TaskClosed', `the task ${taskId} is ${tracker.status}: it runs again only with force`);
  }
  if (onlyFailed) {
    if (!hasTriedAll(tracker)) {
      throw new ReembedError(
        'TaskClosed',
        `the task ${taskId} did not process all of its items: restart the whole task`,
      );
    }
    if (tracker.progress.failed === 0) return tracker;
  }
  const entry: SteeringEntry = { time: new Date().toISOString(), call: SIGNAL.restart, by: by ?? null };
  const steering = [entry, ...tracker.steering].slice(0, STEERING_KEPT);
  return startAgain(client, { ...described, taskType }, { ...tracker, steering }, onlyFailed);
}

/** Returns true if all items were tried, so that only the failed ones are left. */
function hasTriedAll({ type, status, progress }: Tracker): boolean {
  return status === 'done' || (type !== 'reindex' && progress.total > 0 && progress.done >= progress.total);
}

async function startAgain(
  client: Client,
  ended: DescribedTask & { taskType: StartableType },
  tracker: Tracker,
  onlyFailed: boolean,
): Promise<Tracker> {
  const { workflowId: taskId, taskType: type, taskQueue } = ended;
  // The described run may have continued as another one since.
  const { runId } = tracker.links.runId === '' ? ended : tracker.links;
  const { attempts, createTime, errors, steering, data, status, version } = tracker;
  const { total, failed } = tracker.progress;
  const progress = { done: 0, total: onlyFailed ? failed : total, failed: 0, perSecond: 0, etaSeconds: null };
  const previous: Carried = { attempts, createTime, errors, steering, data, progress, status, version, onlyFailed };
  const inputHash = ended.memo?.inputHash;
  const { input, given } = await readInput(client, taskId, runId);
  try {
    const started = await launch(client, {
      type,
      taskId,
      taskQueue,
      input,
      handOver: { ...given, v: HAND_OVER_VERSION, previous },
      inputHash: typeof inputHash === 'string' ? inputHash : undefined,
      summary: await ended.staticSummary(),
      priority: ended.priority?.priorityKey,
      fairnessKey: ended.priority?.fairnessKey,
      reuse: 'ALLOW_DUPLICATE',
      replaces: runId,
      requestId: `restart-of-${runId}`,
    });
    await deleteRun(client, taskId, runId);
    return started;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return getTracker(client, taskId);
    throw error;
  }
}

/**
 * Reads the input of a run. Omits the state of a continued run, because it refers
 * to locks that were released when the task ended.
 */
async function readInput(client: Client, taskId: string, runId: string) {
  const [input, { accepted, retired, indexNo, by, plan, duplicateOf }] = await readArguments(client, taskId, runId);
  const { mirror: _mirror, ...index } = retired ?? {};
  return {
    input: input as never,
    given: { accepted, retired: retired && (index as typeof retired), indexNo, by, plan, duplicateOf },
  };
}
