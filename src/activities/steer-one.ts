import { messageOf, ReembedError } from '../contract/errors.ts';
import type { TaskStatus } from '../contract/status.ts';
import { ACHIEVED, type SteerAction } from '../contract/steer-tasks.ts';
import { effectOf } from '../contract/steering.ts';
import type { SteerOutcomeOf, SteerTarget } from '../store/steer-results.ts';
import type { FoundTask, TaskSteerer } from './dependencies.ts';

export interface Steering {
  action: SteerAction;
  force: boolean;
  reason: string | undefined;
  dryRun: boolean;
  /** The requester, kept in the tracker of each steered task. */
  by: string;
}

type Outcome = Omit<SteerOutcomeOf, 'taskId'>;

const isHeldBack = (status: TaskStatus) => effectOf(status, false, 'restart') === 'continues';
/** Statuses of tasks that have ended, permanently or until they are restarted. */
const ENDED: readonly TaskStatus[] = ['done', 'exhausted', 'canceled', 'refused', 'ignored'];

/**
 * Steers one task and returns the outcome. Does not steer a task twice that an earlier attempt may have steered without
 * reporting it. Throws only `TemporalUnavailable`, which can be retried.
 */
export async function steerOne(
  tasks: TaskSteerer,
  steering: Steering,
  target: SteerTarget & { tried: boolean },
): Promise<SteerOutcomeOf> {
  const { taskId } = target;
  try {
    const found = await tasks.look(taskId);
    return { taskId, ...(decide(steering, target, found) ?? (await act(tasks, steering, taskId, found))) };
  } catch (error) {
    const type = error instanceof ReembedError ? error.type : 'Internal';
    if (type === 'TemporalUnavailable') throw error;
    // It ended after it was looked up.
    if (type === 'TaskClosed') return { taskId, ...nothing(messageOf(error)) };
    return { taskId, outcome: 'failed', reason: type, detail: messageOf(error) };
  }
}

/** Determines the outcome if there is nothing to do; undefined if the task is to be steered. */
function decide(steering: Steering, target: SteerTarget & { tried: boolean }, found: FoundTask): Outcome | undefined {
  const { action } = steering;
  if (found.type === 'steer') return nothing('steering tasks can only be steered individually');
  if (found.type === 'reindex-slice') return nothing('a slice is controlled by its reindex');
  if (target.tried && isAchieved(action, target, found)) return { ...nothing(''), outcome: ACHIEVED[action] };
  const why = whyNothing(steering, target, found);
  if (why !== undefined) return nothing(why);
  if (!steering.dryRun) return undefined;
  if (action === 'resume' && found.status !== 'paused') return nothing('it is not paused');
  return { ...nothing(''), outcome: `would-${action}` };
}

function whyNothing({ action, force }: Steering, target: SteerTarget, { status, ended, runId }: FoundTask) {
  if (action === 'restart' && ended && wasRestarted(target, runId)) return 'it was restarted in the meantime';
  const effect = effectOf(status, ended, action === 'restart' && force ? 'restart with force' : action);
  if (effect !== 'nothing' && effect !== 'tooLate') return undefined;
  if (action === 'restart' && effect === 'tooLate') return `it is ${status}: set force to run it again`;
  if (ended) return `it has ended as ${status}`;
  // Resume nevertheless: it may be about to pause.
  return action === 'resume' ? undefined : `it is ${status}`;
}

/** Whether a task that may have been steered is in the state that the action leads to. */
function isAchieved(action: SteerAction, target: SteerTarget, { status, ended, runId }: FoundTask): boolean {
  switch (action) {
    case 'cancel':
      return status === 'canceled';
    case 'ignore':
      return status === 'ignored';
    case 'pause':
      return status === 'paused';
    case 'resume':
      return target.status === 'paused' && !ended && status !== 'paused';
    case 'restart':
      if (wasRestarted(target, runId)) return true;
      return !ended && target.status !== null && isHeldBack(target.status) && !isHeldBack(status);
  }
}

/** Whether an ended task was restarted: only then does it have another run. */
function wasRestarted({ status, runId: before }: SteerTarget, runId: string): boolean {
  return before !== null && before !== runId && status !== null && (status === 'failed' || ENDED.includes(status));
}

async function act(tasks: TaskSteerer, steering: Steering, taskId: string, found: FoundTask): Promise<Outcome> {
  const { action } = steering;
  const { status } = await tasks[action](taskId, steering);
  switch (action) {
    case 'restart':
      return { ...nothing(''), outcome: 'restarted' };
    case 'resume':
      return found.status === 'paused' ? { ...nothing(''), outcome: 'resumed' } : nothing('it was not paused');
    default:
      if (status === ACHIEVED[action]) return { ...nothing(''), outcome: ACHIEVED[action] };
      if (ENDED.includes(status)) return nothing(`it has ended as ${status}`);
      return { outcome: 'asked', reason: null, detail: `it is still ${status}` };
  }
}

function nothing(detail: string): Outcome {
  return { outcome: 'nothing', reason: null, detail };
}
