import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import pLimit, { type LimitFunction } from 'p-limit';
import type { LaneAnswer, LaneInput, LaneRequest } from '../../contract/job-lanes.ts';
import { ENTER_LANE, WORKFLOW } from '../../contract/names.ts';
import { callTemporal, isOverloaded, isType, PATIENCE_MS } from '../call.ts';

const TIMEOUT_MS = 10_000;
/** Max. concurrent requests of a process to one lane: the server accepts ten at a time and rejects the others. */
const AT_ONCE = 3;
/** Total time for which a request is repeated while the lane is busy. */
const BUSY_MS = 60_000;
const PAUSE_MS = { first: 20, max: 1_000 } as const;

export interface EnterLaneOptions {
  laneId: string;
  /** The task queue of the workflows. */
  taskQueue: string;
  request: LaneRequest;
  /** How long the request is repeated while the server does not answer; default: 15,000 ms. */
  patienceMs?: number | undefined;
}

/**
 * Asks the lane of a job whether the job may run; starts the lane if necessary. A job that asks again gets the same
 * answer. Error: `TemporalUnavailable`; the lane may have accepted the job nevertheless.
 */
export async function enterLane(client: Client, options: EnterLaneOptions): Promise<LaneAnswer> {
  const limit = limitOf(options.laneId);
  try {
    return await limit(() => askUntilAnswered(client, options));
  } finally {
    if (limit.activeCount + limit.pendingCount === 0) limits.delete(options.laneId);
  }
}

/** The limits of the lanes that this process is currently asking. */
const limits = new Map<string, LimitFunction>();

function limitOf(laneId: string): LimitFunction {
  const limit = limits.get(laneId) ?? pLimit(AT_ONCE);
  limits.set(laneId, limit);
  return limit;
}

async function askUntilAnswered(client: Client, options: EnterLaneOptions): Promise<LaneAnswer> {
  const awayMs = options.patienceMs ?? PATIENCE_MS;
  const startMs = Date.now();
  for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(PAUSE_MS.max, pauseMs * 2)) {
    try {
      return await callTemporal(client, options.request.taskId, () => askOnce(client, options), {
        timeoutMs: TIMEOUT_MS,
      });
    } catch (error) {
      const maxMs = isBusy(error) ? BUSY_MS : isType(error, 'TemporalUnavailable') ? awayMs : 0;
      if (Date.now() + pauseMs > startMs + maxMs) throw error;
    }
    await delay(pauseMs * (0.5 + Math.random()));
  }
}

function askOnce(client: Client, { laneId, taskQueue, request }: EnterLaneOptions): Promise<LaneAnswer> {
  const input: LaneInput = { name: request.job.name };
  return client.workflow.executeUpdateWithStart<() => Promise<void>, LaneAnswer, [LaneRequest]>(ENTER_LANE, {
    args: [request],
    // A repeated request gets the answer to the first one.
    updateId: `${request.taskId}/${request.runId ?? ''}`,
    startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.jobLane, {
      workflowId: laneId,
      taskQueue,
      args: [input] as never,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `decides which ${request.job.name} jobs of one key run`,
    }),
  });
}

/** Returns true if the lane is overloaded, or ended or continued as a new run during the request. */
function isBusy(error: unknown): boolean {
  return error instanceof WorkflowUpdateFailedError || isOverloaded(error) || isType(error, 'TaskNotFound');
}
