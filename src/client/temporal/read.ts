import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { LIMITS } from '../../contract/limits.ts';
import { QUERY } from '../../contract/names.ts';
import type { TaskType, Tracker } from '../../contract/tasks.ts';
import { callTemporal, isInvalidArgument, taskNotFound } from './call.ts';
import { corrected, type Execution, rowOf, trackerOfRow, typeOf } from './rows.ts';

/** A worker that answers at all answers a query within this time. */
const QUERY_TIMEOUT_MS = 5_000;

export interface TaskView {
  tracker: Tracker;
  /** Its workflow has ended: the tracker stays as it is unless someone restarts the task. */
  ended: boolean;
}

export interface DescribedTask extends Execution {
  taskType: TaskType;
  running: boolean;
  staticSummary: () => Promise<string | undefined>;
}

/** The latest run of a task's workflow. Errors: `TaskNotFound`, also for workflows that are not ours. */
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

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT']);

/**
 * The tracker of a task, and whether it has ended. A running task is asked by query; when no worker answers in time,
 * what it published last is told. An ended one left its tracker as result or failure, which needs no worker.
 * Errors: `TaskNotFound`, `TemporalUnavailable`.
 */
export async function readTask(client: Client, taskId: string): Promise<TaskView> {
  let execution = await describeTask(client, taskId);
  if (execution.running) {
    const tracker = await queryTracker(client, taskId);
    if (tracker) return { tracker, ended: false };
    // It may have ended while nobody answered.
    execution = await describeTask(client, taskId);
    if (execution.running) return { tracker: rowTracker(execution), ended: false };
  }
  const outcome = await readOutcome(client, execution);
  const last = outcome.tracker ?? (await queryTracker(client, taskId, execution.runId)) ?? rowTracker(execution);
  const change = corrected(execution, last.status, last, outcome.reason?.slice(0, LIMITS.detailChars));
  return { tracker: { ...last, ...change, lock: null, lockTime: null, lockExpireTime: null }, ended: true };
}

/**
 * The tracker of a task. A workflow that Temporal ended on its own is reported `canceled` (terminated) or `failed`
 * (timed out), whatever it said last. Errors: `TaskNotFound`, `TemporalUnavailable`.
 *
 * @example
 * const { status, progress } = await getTracker(client, 'nightly-reindex');
 */
export async function getTracker(client: Client, taskId: string): Promise<Tracker> {
  return (await readTask(client, taskId)).tracker;
}

function rowTracker(execution: DescribedTask): Tracker {
  return trackerOfRow(rowOf(execution, execution.taskType));
}

/** Undefined when there is no answer: no worker, or one whose code cannot replay the workflow. */
async function queryTracker(client: Client, taskId: string, runId?: string): Promise<Tracker | undefined> {
  try {
    const handle = client.workflow.getHandle(taskId, runId);
    return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<Tracker>(QUERY.tracker));
  } catch {
    return undefined;
  }
}

/** How an ended run ended: see `outcomeOf`. */
async function readOutcome(client: Client, { workflowId, runId }: Execution): Promise<Outcome> {
  const handle = client.workflow.getHandle(workflowId, runId, { followRuns: false });
  return callTemporal(client, workflowId, () => outcomeOf(handle));
}

interface Outcome {
  tracker?: Tracker;
  /** Why Temporal ended it. */
  reason?: string;
}

/** Waits for the end of a workflow: with the tracker as result or in the details of the failure, or by Temporal for a reason. */
export async function outcomeOf(handle: Pick<WorkflowHandle, 'result'>): Promise<Outcome> {
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
