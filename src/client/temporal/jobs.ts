import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { laneIdOf } from '../../contract/names.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { HAND_OVER_VERSION, type JobInput, type JobPlan, type LaneRequest } from '../../contract/workflow-inputs.ts';
import { isType, PATIENCE_MS } from './call.ts';
import { hideOf } from './encryption/keyed-hash.ts';
import { enterLane } from './lane.ts';
import { pendingTracker, unknownOutcome } from './launch.ts';
import { getTracker } from './read.ts';
import { findSameTask, type StartTaskOptions, startTask } from './start.ts';

export type StartJobOptions = Pick<
  StartTaskOptions<'job'>,
  'taskId' | 'input' | 'taskQueue' | 'inputHash' | 'ignoreLock' | 'patienceMs'
> & { plan?: JobPlan };

const PAUSE_MS = 500;

/**
 * Starts a job, once per id. One that must mind others of its name and key, and is not to wait for its time first, is
 * started by their lane, which alone can tell: it may be `ignored` then, and `data.standsFor` is the job that stands for
 * it. One without a plan is checked by a worker that knows its definition. Returns its tracker.
 * Errors: `TaskLocked`, `TemporalUnavailable`.
 */
export async function startJob(client: Client, options: StartJobOptions): Promise<Tracker> {
  const untilMs = Date.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    try {
      return await findOrStart(client, { ...options, patienceMs: Math.max(0, untilMs - Date.now()) });
    } catch (error) {
      if (!isType(error, 'TemporalUnavailable')) throw error;
      // Asked once more, one that is to replace another would replace itself.
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
    request: laneRequest(plan, { taskId, runId: null, job: input, plan, inputHash }),
    patienceMs: options.patienceMs,
  });
  if (answer.kind === 'ignored') return recordIgnored(client, options, answer.standsFor);
  if (answer.kind !== 'exists') return pendingTracker('job', taskId, input, handOver);
  await findSameTask(client, wanted);
  return getTracker(client, taskId);
}

/**
 * A workflow of the id that ends at once as `ignored`: a lane forgets what it has turned away, and whoever has the id of a
 * submission finds what became of it, as of every other. It is there before the sender is answered.
 */
async function recordIgnored(client: Client, options: StartJobOptions, standsFor: string): Promise<Tracker> {
  const { input, plan } = options;
  const handOver = { v: HAND_OVER_VERSION, plan, standsFor };
  const started = await startTask(client, { ...options, type: 'job', handOver, ...priorityOf(client, input, plan) });
  return started.existing ? getTracker(client, options.taskId) : started.tracker;
}

export function laneRequest(
  { onDuplicate, newest }: JobPlan,
  rest: Pick<LaneRequest, 'taskId' | 'runId' | 'job' | 'plan' | 'inputHash'>,
): LaneRequest {
  if (onDuplicate === 'parallel') throw new Error('a job that minds no others has no lane');
  return { onDuplicate, newest, ...rest };
}

/** For the queues: what is left out is as the server has it. */
export function priorityOf(
  client: Client,
  { priority, fairnessKey }: JobInput,
  plan: JobPlan | undefined,
): { priority?: number; fairnessKey?: string } {
  // That of a plan is hidden already.
  return {
    priority: plan?.priority ?? priority,
    fairnessKey: plan ? (plan.fairnessKey ?? undefined) : fairnessKey && hideOf(client)(fairnessKey),
  };
}
