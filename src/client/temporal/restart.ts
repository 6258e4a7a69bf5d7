import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { ReembedError } from '../../contract/errors.ts';
import { STEERING_KEPT } from '../../contract/failures.ts';
import { SIGNAL } from '../../contract/names.ts';
import { effectOf } from '../../contract/steering.ts';
import type { SteeringEntry, TaskType, Tracker } from '../../contract/tasks.ts';
import { type Carried, HAND_OVER_VERSION, type HandOver } from '../../contract/workflow-inputs.ts';
import { callTemporal } from './call.ts';
import { launch } from './launch.ts';
import { type DescribedTask, describeTask, getTracker, readTask } from './read.ts';
import { deleteRun } from './start.ts';
import { type SteeringOptions, sendSignal, settle } from './steer.ts';

/** Those whose items may be on a failed list. */
const HAS_FAILED_ITEMS: readonly TaskType[] = ['upsert', 'delete', 'reindex'];

export interface RestartOptions extends SteeringOptions {
  /** Also a task that is exhausted or ignored. */
  force?: boolean;
  /** Of a task that has ended, only what is on its failed list. */
  onlyFailed?: boolean;
}

/**
 * Runs a task again. One that runs does nothing of it while processing and goes on at once while it waits, is paused or
 * backs off. One that has ended starts a new run with the same id, input and version, whose tracker goes on counting
 * attempts; an exhausted or ignored one only with `force`. With `onlyFailed` the new run does again what is on the
 * failed list, and nothing if that is empty. However many ask at once, there is one new run.
 * Errors: `TaskClosed` without `force` where it is needed, or when `onlyFailed` would leave out what was never tried;
 * `InvalidInput` for `onlyFailed` where a task has no items; `TaskNotFound`, `TemporalUnavailable`.
 */
export async function restartTask(client: Client, taskId: string, options: RestartOptions = {}): Promise<Tracker> {
  const { force = false, onlyFailed = false, by } = options;
  const described = await describeTask(client, taskId);
  const { taskType } = described;
  if (onlyFailed && !HAS_FAILED_ITEMS.includes(taskType)) {
    throw new ReembedError('InvalidInput', `onlyFailed: a task of type ${taskType} has no failed items`);
  }
  const call = force ? 'restart with force' : 'restart';
  if (described.running && (await sendSignal(client, taskId, SIGNAL.restart, [{ force }], by))) {
    return settle(client, taskId, ({ tracker }) => effectOf(tracker.status, false, call) !== 'goesOn');
  }
  if (taskType === 'reindex-slice') {
    throw new ReembedError('TaskClosed', `${taskId} is a slice of a reindex: restart the reindex instead`);
  }
  const { tracker, ended } = await readTask(client, taskId);
  if (!ended) return tracker; // someone else has restarted it
  if (effectOf(tracker.status, true, call) === 'tooLate') {
    throw new ReembedError('TaskClosed', `the task ${taskId} is ${tracker.status}: it runs again only with force`);
  }
  if (onlyFailed) {
    if (!hasTriedAll(tracker)) {
      throw new ReembedError('TaskClosed', `the task ${taskId} did not get to all of its items: restart it as a whole`);
    }
    if (tracker.progress.failed === 0) return tracker;
  }
  const entry: SteeringEntry = { time: new Date().toISOString(), call: SIGNAL.restart, by: by ?? null };
  const steering = [entry, ...tracker.steering].slice(0, STEERING_KEPT);
  return startAgain(client, { ...described, taskType }, { ...tracker, steering }, onlyFailed);
}

/** Nothing was left undone but what is on the failed list. */
function hasTriedAll({ type, status, progress }: Tracker): boolean {
  return status === 'done' || (type !== 'reindex' && progress.total > 0 && progress.done >= progress.total);
}

async function startAgain(
  client: Client,
  ended: DescribedTask & { taskType: Exclude<DescribedTask['taskType'], 'reindex-slice'> },
  tracker: Tracker,
  onlyFailed: boolean,
): Promise<Tracker> {
  const { workflowId: taskId, taskType: type, taskQueue } = ended;
  // The run described may have continued as another one since.
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
 * What a run was started with, from the first event of its history. What a run that continued itself was handed over is
 * left out: it tells of locks that are given back at the end.
 */
async function readInput(client: Client, taskId: string, runId: string) {
  const { namespace, loadedDataConverter } = client.options;
  const request = { namespace, execution: { workflowId: taskId, runId }, maximumPageSize: 1 };
  const { history } = await callTemporal(client, taskId, () =>
    client.workflowService.getWorkflowExecutionHistory(request),
  );
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input, handedOver] = await decodeArrayFromPayloads(loadedDataConverter, payloads, {
    type: 'workflow',
    namespace,
    workflowId: taskId,
  });
  const { accepted, retired, by, plan, standsFor } = (handedOver ?? {}) as Partial<HandOver>;
  const { mirror: _mirror, ...index } = retired ?? {};
  return {
    input: input as never,
    given: { accepted, retired: retired && (index as typeof retired), by, plan, standsFor },
  };
}
