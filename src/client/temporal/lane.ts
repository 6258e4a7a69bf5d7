import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import pLimit, { type LimitFunction } from 'p-limit';
import { ENTER_LANE, WORKFLOW } from '../../contract/names.ts';
import type { LaneAnswer, LaneInput, LaneRequest } from '../../contract/workflow-inputs.ts';
import { callTemporal, isOverloaded, isType, PATIENCE_MS } from './call.ts';

const TIMEOUT_MS = 10_000;
/** The server takes in ten at once for one lane and turns others away: a process sends no more than these at once. */
const AT_ONCE = 3;
/** A request that a busy lane turns away is sent again for this long in all. */
const BUSY_MS = 60_000;
const PAUSE_MS = { first: 20, most: 1_000 } as const;

export interface EnterLaneOptions {
  laneId: string;
  /** Of the workflows. */
  taskQueue: string;
  request: LaneRequest;
  /** How long it is sent again while the server does not answer; default 15 s. */
  patienceMs?: number;
}

/**
 * Asks the lane of a job whether it may run; the lane is started if there is none. The same job may ask again, and gets
 * the same answer. Error: `TemporalUnavailable`, and then it may have been let in all the same.
 */
export async function enterLane(client: Client, options: EnterLaneOptions): Promise<LaneAnswer> {
  const limit = limitOf(options.laneId);
  try {
    return await limit(() => askUntilAnswered(client, options));
  } finally {
    if (limit.activeCount + limit.pendingCount === 0) limits.delete(options.laneId);
  }
}

/** Lanes that this process is asking, with how many it may ask at once. */
const limits = new Map<string, LimitFunction>();

function limitOf(laneId: string): LimitFunction {
  const limit = limits.get(laneId) ?? pLimit(AT_ONCE);
  limits.set(laneId, limit);
  return limit;
}

async function askUntilAnswered(client: Client, options: EnterLaneOptions): Promise<LaneAnswer> {
  const awayMs = options.patienceMs ?? PATIENCE_MS;
  const startMs = Date.now();
  for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(PAUSE_MS.most, pauseMs * 2)) {
    try {
      return await callTemporal(client, options.request.taskId, () => askOnce(client, options), {
        timeoutMs: TIMEOUT_MS,
      });
    } catch (error) {
      const mostMs = isBusy(error) ? BUSY_MS : isType(error, 'TemporalUnavailable') ? awayMs : 0;
      if (Date.now() + pauseMs > startMs + mostMs) throw error;
    }
    await delay(pauseMs * (0.5 + Math.random()));
  }
}

function askOnce(client: Client, { laneId, taskQueue, request }: EnterLaneOptions): Promise<LaneAnswer> {
  const input: LaneInput = { name: request.job.name };
  return client.workflow.executeUpdateWithStart<() => Promise<void>, LaneAnswer, [LaneRequest]>(ENTER_LANE, {
    args: [request],
    // Whoever asks again gets the answer that was under way.
    updateId: `${request.taskId}/${request.runId ?? ''}`,
    startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.jobLane, {
      workflowId: laneId,
      taskQueue,
      args: [input] as never,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `decides between jobs ${request.job.name} of one key`,
    }),
  });
}

/** The lane has too much to do, or it ended or went on as another run while it was asked. */
function isBusy(error: unknown): boolean {
  return error instanceof WorkflowUpdateFailedError || isOverloaded(error) || isType(error, 'TaskNotFound');
}
