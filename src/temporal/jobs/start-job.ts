import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { HAND_OVER_VERSION } from '../../contract/hand-over.ts';
import type { LaneRequest } from '../../contract/job-lanes.ts';
import type { JobPlan } from '../../contract/job-plan.ts';
import { laneIdOf } from '../../contract/names.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { JobInput } from '../../contract/workflow-inputs.ts';
import { currentTrace } from '../../tracing/temporal.ts';
import { isType, PATIENCE_MS } from '../call.ts';
import { hideOf } from '../encryption/keyed-hash.ts';
import { pendingTracker, unknownOutcome } from '../tasks/launch.ts';
import { getTracker } from '../tasks/read.ts';
import { findSameTask, startTask } from '../tasks/start.ts';
import type { StartTaskOptions } from '../tasks/task-options.ts';
import { enterLane } from './enter-lane.ts';

export type StartJobOptions = Pick<
  StartTaskOptions<'job'>,
  'taskId' | 'input' | 'taskQueue' | 'inputHash' | 'ignoreLock' | 'patienceMs'
> & { plan?: JobPlan };

const PAUSE_MS = 500;

/**
 * Starts a job, once per id, and returns its tracker. A job that is due now and subject to duplicate handling is
 * started by its lane, since only the lane knows whether it may run; the job may then be `ignored`, with the job that
 * it duplicates in `data.duplicateOf`. A job without a plan is checked by a worker that has its definition. Errors:
 * `TaskLocked`, `TemporalUnavailable`.
 */
export async function startJob(client: Client, options: StartJobOptions): Promise<Tracker> {
  const untilMs = Date.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    try {
      return await findOrStart(client, { ...options, patienceMs: Math.max(0, untilMs - Date.now()) });
    } catch (error) {
      if (!isType(error, 'TemporalUnavailable')) throw error;
      // A repeated request with `ignoreLock` would replace the job that the first one started.
      if (options.ignoreLock || Date.now() + PAUSE_MS > untilMs) throw unknownOutcome(options.taskId, error);
    }
    await delay(PAUSE_MS);
  }
}

async function findOrStart(client: Client, options: StartJobOptions): Promise<Tracker> {
  const { taskId, taskQueue, input, plan, inputHash, ignoreLock } = options;
  const handOver = plan && { v: HAND_OVER_VERSION, plan };
  const wanted = { type: 'job', taskId, inputHash } as const;
  if (!plan || plan.onDuplicate === 'parallel' || plan.runs !== null || ignoreLock) {
    const started = await startTask(client, { ...options, type: 'job', handOver, ...priorityOf(client, input, plan) });
    return started.existing ? getTracker(client, taskId) : started.tracker;
  }
  if (await findSameTask(client, wanted)) return getTracker(client, taskId);
  const answer = await enterLane(client, {
    laneId: laneIdOf(taskQueue, input.name, plan.keyHash),
    taskQueue,
    request: laneRequest(plan, { taskId, runId: null, job: input, plan, inputHash, trace: currentTrace() }),
    patienceMs: options.patienceMs,
  });
  if (answer.kind === 'ignored') return recordIgnored(client, options, answer.duplicateOf);
  if (answer.kind !== 'exists') return pendingTracker('job', taskId, input, handOver);
  await findSameTask(client, wanted);
  return getTracker(client, taskId);
}

/**
 * Starts a workflow of this id that immediately ends as `ignored`. A lane forgets the jobs that it ignored, and this
 * way the id of each submission leads to its outcome. It exists before the sender gets a response.
 */
async function recordIgnored(client: Client, options: StartJobOptions, duplicateOf: string): Promise<Tracker> {
  const { input, plan } = options;
  const handOver = { v: HAND_OVER_VERSION, plan, duplicateOf };
  const started = await startTask(client, { ...options, type: 'job', handOver, ...priorityOf(client, input, plan) });
  return started.existing ? getTracker(client, options.taskId) : started.tracker;
}

function laneRequest(
  { onDuplicate, newest }: JobPlan,
  rest: Pick<LaneRequest, 'taskId' | 'runId' | 'job' | 'plan' | 'inputHash' | 'trace'>,
): LaneRequest {
  if (onDuplicate === 'parallel') throw new Error('a parallel job has no lane');
  return { onDuplicate, newest, ...rest };
}

/** Returns priority and fairness key for the task queues; omitted ones keep the server's defaults. */
export function priorityOf(
  client: Client,
  { priority, fairnessKey }: JobInput,
  plan: JobPlan | undefined,
): { priority?: number; fairnessKey?: string } {
  // The fairness key of a plan is hidden already.
  return {
    priority: plan?.priority ?? priority,
    fairnessKey: plan ? (plan.fairnessKey ?? undefined) : fairnessKey && hideOf(client)(fairnessKey),
  };
}
