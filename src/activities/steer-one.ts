import { messageOf, ReembedError } from '../contract/errors.ts';
import type { TaskStatus } from '../contract/status.ts';
import { ACHIEVED, type SteerAction } from '../contract/steer-tasks.ts';
import { effectOf } from '../contract/steering.ts';
import type { SteerOutcomeOf, SteerTarget } from '../store/steer-results.ts';
import type { FoundTask, TaskControl } from './dependencies.ts';

export interface Steering {
  action: SteerAction;
  force: boolean;
  reason: string | undefined;
  dryRun: boolean;
  /** Kept in the tracker of each task that is steered. */
  by: string;
}

type Outcome = Omit<SteerOutcomeOf, 'taskId'>;

const isHeldBack = (status: TaskStatus) => effectOf(status, false, 'restart') === 'goesOn';
/** Only of tasks that have ended, for good or until they are restarted. */
const ENDED: readonly TaskStatus[] = ['done', 'exhausted', 'canceled', 'refused', 'ignored'];

/**
 * Steers one task, and tells what came of it. One that an earlier try may have steered already, without being able to
 * say so, is not steered twice. Throws only `TemporalUnavailable`: then it can be tried again.
 */
export async function steerOne(
  tasks: TaskControl,
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
    // It has ended since it was looked at.
    if (type === 'TaskClosed') return { taskId, ...nothing(messageOf(error)) };
    return { taskId, outcome: 'failed', reason: type, detail: messageOf(error) };
  }
}

/** What can be told without doing anything; undefined when the task is to be steered. */
function decide(steering: Steering, target: SteerTarget & { tried: boolean }, found: FoundTask): Outcome | undefined {
  const { action } = steering;
  if (found.type === 'steer') return nothing('tasks that steer others are steered one by one');
  if (found.type === 'reindex-slice') return nothing('a slice is left to its reindex');
  if (target.tried && isAchieved(action, target, found)) return { ...nothing(''), outcome: ACHIEVED[action] };
  const why = whyNothing(steering, target, found);
  if (why !== undefined) return nothing(why);
  if (!steering.dryRun) return undefined;
  if (action === 'resume' && found.status !== 'paused') return nothing('it is not paused');
  return { ...nothing(''), outcome: `would-${action}` };
}

function whyNothing({ action, force }: Steering, target: SteerTarget, { status, ended, runId }: FoundTask) {
  if (action === 'restart' && ended && wasRestarted(target, runId)) return 'it has been restarted meanwhile';
  const effect = effectOf(status, ended, action === 'restart' && force ? 'restart with force' : action);
  if (effect !== 'nothing' && effect !== 'tooLate') return undefined;
  if (action === 'restart' && effect === 'tooLate') return `it is ${status}: it runs again only with force`;
  if (ended) return `it has ended as ${status}`;
  // Told all the same: it may be about to pause.
  return action === 'resume' ? undefined : `it is ${status}`;
}

/** Whether a task that may have been steered is as the action leaves it. */
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

/** A task that had ended has another run only when it was restarted. */
function wasRestarted({ status, runId: before }: SteerTarget, runId: string): boolean {
  return before !== null && before !== runId && status !== null && (status === 'failed' || ENDED.includes(status));
}

async function act(tasks: TaskControl, steering: Steering, taskId: string, found: FoundTask): Promise<Outcome> {
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
