import { proxySinks } from '@temporalio/workflow';
import { backOffSeconds, REFUSALS, type TASK_FAILURE } from '../../contract/failures.ts';
import type { TaskEvents } from '../../contract/task-events.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { addError, IgnoredError, RefusedError } from './errors.ts';
import type { TaskSignals } from './signals.ts';
import type { TaskSpec } from './spec.ts';

const { taskEvents } = proxySinks<{ taskEvents: TaskEvents }>();

export type EndStatus = 'done' | 'ignored' | 'canceled' | keyof typeof TASK_FAILURE;

/** What follows an attempt: the end of the task, or another attempt. */
export type AttemptEnd =
  | { kind: 'ended'; status: EndStatus; detail: string }
  | { kind: 'retry'; afterSeconds: number; detail: string };

/** Returns how a task ends that was canceled, by signal or by Temporal, or ignored. */
export function endOfStopped({ stop }: TaskSignals): AttemptEnd & { kind: 'ended' } {
  if (stop?.status === 'ignored') return { kind: 'ended', status: 'ignored', detail: stop.reason ?? 'set aside' };
  return { kind: 'ended', status: 'canceled', detail: stop?.reason ? `canceled: ${stop.reason}` : 'canceled' };
}

/** Adds the error of an attempt to the tracker, and decides what follows. */
export function endOfFailed(error: unknown, tracker: Tracker, { type: taskType, backOff }: TaskSpec): AttemptEnd {
  if (error instanceof IgnoredError) return { kind: 'ended', status: 'ignored', detail: error.message };
  const { type, message, retryable, byHandler } = addError(tracker, error);
  taskEvents.attemptFailed({ type: taskType, error: type });
  const isRefused = error instanceof RefusedError || (!byHandler && REFUSALS.includes(type));
  if (isRefused) return { kind: 'ended', status: 'refused', detail: message };
  if (!retryable) return { kind: 'ended', status: 'failed', detail: message };
  const { attempts, maxAttempts } = tracker;
  if (attempts >= maxAttempts) {
    const all = attempts === 1 ? 'the only attempt failed' : `all ${attempts} attempts failed; the last`;
    return { kind: 'ended', status: 'exhausted', detail: `${all}: ${message}` };
  }
  const afterSeconds = (backOff ?? backOffSeconds)(attempts);
  const detail = `attempt ${attempts} of ${maxAttempts} failed: ${message}; again in ${afterSeconds} s`;
  return { kind: 'retry', afterSeconds, detail };
}
