import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { ERROR_BOUNDS, HANDLER_MARK } from '../../contract/failures.ts';
import type { Tracker, TrackerError } from '../../contract/tasks.ts';

/** Thrown by a step when a rule forbids the task: it ends as `refused`. */
export class RefusedError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.reason = reason;
  }
}

/** Thrown by a step when this task duplicates another: it ends as `ignored`. */
export class IgnoredError extends Error {}

interface ErrorFacts {
  type: string;
  message: string;
  retryable: boolean;
  stage?: string;
  stack?: string;
  /** Thrown by the user's function, which may use any name as its type. */
  byHandler?: boolean;
  causes?: TrackerError['causes'];
}

/** Unwraps the failures of activities and children and describes the error beneath. */
export function errorOf(error: unknown): ErrorFacts {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    const stage = error instanceof ActivityFailure ? error.activityType : error.workflowType;
    return { ...errorOf(error.cause), stage };
  }
  if (error instanceof ApplicationFailure) {
    if (error.details?.[0] === HANDLER_MARK) {
      const { type, message, nonRetryable, stack } = error;
      const retryable = nonRetryable !== true;
      return { type: type ?? 'Error', message, retryable, stack, byHandler: true, causes: causesOf(error) };
    }
    return {
      type: error.type ?? 'Internal',
      message: error.message,
      // A child that used up its attempts may succeed when its parent retries.
      retryable: !error.nonRetryable || error.type === 'TaskExhausted',
      stack: error.stack,
    };
  }
  if (error instanceof TimeoutFailure) return { type: 'Timeout', message: error.message, retryable: true };
  if (error instanceof RefusedError) return { type: error.reason, message: error.message, retryable: false };
  if (error instanceof Error) {
    return { type: error.name, message: error.message, retryable: true, stack: error.stack };
  }
  return { type: 'Internal', message: String(error), retryable: true };
}

/** Returns the chain of causes that the worker sent, outermost first. */
function causesOf(error: ApplicationFailure): NonNullable<TrackerError['causes']> {
  const causes: NonNullable<TrackerError['causes']> = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < ERROR_BOUNDS.causes; cause = causeOf(cause)) {
    const type = (cause instanceof ApplicationFailure ? cause.type : undefined) ?? cause.name;
    causes.push({ type, message: cause.message.slice(0, ERROR_BOUNDS.causeMessage) });
  }
  return causes;
}

function causeOf(error: Error): Error | undefined {
  return error.cause instanceof Error ? error.cause : undefined;
}

/** Adds an attempt's error to the tracker, newest first, bounded in number and size. */
export function addError(tracker: Tracker, error: unknown): ErrorFacts {
  const facts = errorOf(error);
  const entry: TrackerError = {
    attempt: tracker.attempts,
    time: new Date().toISOString(),
    type: facts.type.slice(0, ERROR_BOUNDS.type),
    message: facts.message.slice(0, ERROR_BOUNDS.message),
    stage: facts.stage,
    stack: facts.stack?.slice(0, ERROR_BOUNDS.stack),
    ...(facts.causes && facts.causes.length > 0 && { causes: facts.causes }),
  };
  tracker.errors = [entry, ...tracker.errors].slice(0, ERROR_BOUNDS.count);
  return facts;
}

/** Adds the reason for a pause to the tracker's errors. */
export function noteHold(tracker: Tracker, { type, message }: { type: string; message: string }): void {
  const entry: TrackerError = {
    attempt: tracker.attempts,
    time: new Date().toISOString(),
    type,
    message: message.slice(0, ERROR_BOUNDS.message),
  };
  tracker.errors = [entry, ...tracker.errors].slice(0, ERROR_BOUNDS.count);
}
