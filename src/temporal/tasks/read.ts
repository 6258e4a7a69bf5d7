import {
  type Client,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { LIMITS } from '../../contract/limits.ts';
import { LAST_TRACKER } from '../../contract/list-row.ts';
import { QUERY } from '../../contract/names.ts';
import type { TaskType } from '../../contract/task-types.ts';
import { type Tracker, trackerSchema } from '../../contract/tasks.ts';
import { callTemporal, isInvalidArgument, isType, taskNotFound } from '../call.ts';
import { corrected, type Execution, rowOf, trackerOfRow, typeOf } from './list-row.ts';
import { withWorkerWait, workerPace } from './worker-wait.ts';

/** Max. time of a query; a live worker answers within it. */
const QUERY_TIMEOUT_MS = 5_000;

export interface TaskView {
  tracker: Tracker;
  /** Whether the workflow has ended: the tracker then changes only by a restart. */
  ended: boolean;
}

export interface DescribedTask extends Execution {
  raw: WorkflowExecutionDescription['raw'];
  taskType: TaskType;
  running: boolean;
  staticSummary: () => Promise<string | undefined>;
}

/** Describes the latest run of a task. Errors: `TaskNotFound`, also for workflows of other products. */
export async function describeTask(client: Client, taskId: string): Promise<DescribedTask> {
  try {
    const execution = await callTemporal(client, taskId, () => client.workflow.getHandle(taskId).describe());
    const taskType = typeOf(execution);
    if (taskType === undefined) throw taskNotFound(taskId);
    return { ...execution, taskType, running: !ENDED.has(execution.status.name) };
  } catch (error) {
    // An id that no workflow can have.
    throw isInvalidArgument(error) ? taskNotFound(taskId) : error;
  }
}

/** Returns the task queue of a task, or of a workflow that is none; undefined if there is no such workflow. */
export async function queueOfTask(client: Client, taskId: string): Promise<string | undefined> {
  try {
    return (await callTemporal(client, taskId, () => client.workflow.getHandle(taskId).describe())).taskQueue;
  } catch (error) {
    if (isInvalidArgument(error) || isType(error, 'TaskNotFound')) return undefined;
    throw error;
  }
}

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT']);

/**
 * Returns the tracker of a task and whether it has ended. Queries a running task; if no worker answers in time, returns
 * what the task last published. The tracker of an ended task is its result, its failure or, of a canceled one, in its memo:
 * only one that Temporal ended needs a worker.
 * Errors: `TaskNotFound`, `TemporalUnavailable`.
 */
export async function readTask(client: Client, taskId: string): Promise<TaskView> {
  let execution = await describeTask(client, taskId);
  if (execution.running) {
    const tracker = await queryTracker(client, taskId);
    if (tracker) return { tracker: await withWorkerWait(client, execution.raw, tracker, Date.now()), ended: false };
    // It may have ended during the query.
    execution = await describeTask(client, taskId);
    if (execution.running) return { tracker: rowTracker(execution), ended: false };
  }
  const outcome = await readOutcome(client, execution);
  const { pace: _, ...last } =
    outcome.tracker ??
    lastTracker(execution) ??
    (await queryTracker(client, taskId, execution.runId)) ??
    rowTracker(execution);
  const change = corrected(execution, last.status, last, outcome.reason?.slice(0, LIMITS.detailChars));
  return { tracker: { ...last, ...change, lock: null, lockTime: null, lockExpireTime: null }, ended: true };
}

/**
 * Returns the tracker of a task. A workflow that Temporal ended is reported as `canceled` (terminated) or `failed`
 * (timed out), whatever its last status was. Errors: `TaskNotFound`, `TemporalUnavailable`.
 *
 * @example
 * const { status, progress } = await getTracker(client, 'nightly-reindex');
 */
export async function getTracker(client: Client, taskId: string): Promise<Tracker> {
  return (await readTask(client, taskId)).tracker;
}

/** Builds a tracker from what a task last published. */
function rowTracker(execution: DescribedTask): Tracker {
  const { ended: _, ...row } = rowOf(execution, execution.taskType);
  return trackerOfRow({ ...row, ...(execution.running && { unanswered: true, pace: workerPace() }) });
}

/** Returns the tracker that a canceled task has left. The starter of a workflow can give it a memo with any content. */
function lastTracker({ memo, status }: DescribedTask): Tracker | undefined {
  if (status.name !== 'CANCELLED') return undefined;
  const last = memo?.[LAST_TRACKER];
  return trackerSchema.safeParse(last).success ? (last as Tracker) : undefined;
}

/** Queries the tracker; undefined without an answer: no worker runs, or its code cannot replay the workflow. */
async function queryTracker(client: Client, taskId: string, runId?: string): Promise<Tracker | undefined> {
  try {
    const handle = client.workflow.getHandle(taskId, runId);
    return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<Tracker>(QUERY.tracker));
  } catch {
    return undefined;
  }
}

/** Reads the outcome of an ended run: see `awaitOutcome`. */
async function readOutcome(client: Client, { workflowId, runId }: Execution): Promise<Outcome> {
  const handle = client.workflow.getHandle(workflowId, runId, { followRuns: false });
  return callTemporal(client, workflowId, () => awaitOutcome(handle));
}

interface Outcome {
  tracker?: Tracker;
  /** Why Temporal ended it. */
  reason?: string;
}

/** Waits for the end of a workflow. Its tracker is the result or in the failure's details; Temporal gives a reason. */
export async function awaitOutcome(handle: Pick<WorkflowHandle, 'result'>): Promise<Outcome> {
  try {
    const result = await handle.result();
    return { tracker: isTracker(result) ? result : undefined };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof TerminatedFailure) {
      return { reason: cause.message === 'Workflow execution terminated' ? undefined : cause.message };
    }
    const details = cause instanceof ApplicationFailure || cause instanceof CancelledFailure ? cause.details : [];
    return { tracker: isTracker(details?.[0]) ? details[0] : undefined };
  }
}

function isTracker(value: unknown): value is Tracker {
  return typeof value === 'object' && value !== null && 'status' in value && 'attempts' in value;
}
