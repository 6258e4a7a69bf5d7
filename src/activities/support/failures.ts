import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { ZodError } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { fieldIssues } from '../../contract/issues.ts';
import { wrapEach } from '../../contract/wrap-each.ts';
import { codeOf, isBusy, isConnectionError, SQLSTATE } from '../../store/sqlstate.ts';

/** Converts an error to a Temporal failure of the same type, with its retryability and the delay that it asks for. */
export function toFailure(error: unknown): unknown {
  if (error instanceof ReembedError) {
    return ApplicationFailure.create({
      type: error.type,
      message: withIssues(error),
      nonRetryable: !error.retryable,
      nextRetryDelay: error.retryAfterMs,
      details: [{ reason: error.reason, issues: error.issues }],
      cause: error.cause instanceof Error ? error.cause : undefined,
    });
  }
  if (error instanceof ZodError) {
    return ApplicationFailure.create({
      type: 'InvalidInput',
      message: fieldIssues(error)
        .map(({ path, message }) => `${path || 'input'}: ${message}`)
        .join('; '),
      nonRetryable: true,
    });
  }
  if (isConnectionError(error) || isBusy(error)) {
    return ApplicationFailure.create({ type: 'DatabaseUnavailable', message: (error as Error).message });
  }
  // A missing table: the index was deleted after it was looked up. The next attempt resolves the name again, and finds
  // the alias's new index or that there is none.
  if (codeOf(error) === SQLSTATE.undefinedTable) {
    return ApplicationFailure.create({ type: 'IndexNotFound', message: 'the index was deleted' });
  }
  if (!(error instanceof Error) || isCancellation(error)) return error;
  // The class name of a library's error is not a stable type.
  const failure = ApplicationFailure.create({ type: 'Internal', message: error.message });
  failure.stack = error.stack;
  return failure;
}

/** Whether Temporal recognizes the error as a cancellation. */
function isCancellation(error: Error): boolean {
  return error instanceof TemporalFailure || error.name === 'AbortError';
}

function withIssues(error: ReembedError): string {
  const issues = error.issues.map(({ path, message }) => `${path}: ${message}`);
  // Most messages already contain their issues.
  return [error.message, ...issues.filter((issue) => !error.message.includes(issue))].join('; ');
}

/** Wraps activities so that they throw Temporal failures. */
export function withFailures<T extends object>(activities: T): T {
  return wrapEach(activities, async (run, args) => {
    try {
      return await run(...args);
    } catch (error) {
      throw toFailure(error);
    }
  });
}
