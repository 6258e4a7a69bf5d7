import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { ZodError } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues } from '../contract/issues.ts';
import { codeOf, isBusy, isConnectionError } from '../store/database.ts';

/**
 * Turns an error into a Temporal failure of the same type: what trying again cannot help says so, and what asks for a
 * pause gets it.
 */
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
  // A table that is gone: the index was deleted since it was looked up. The next try looks again, and finds where the
  // alias points now or that there is no such index.
  if (codeOf(error) === '42P01') {
    return ApplicationFailure.create({ type: 'IndexNotFound', message: 'the index was deleted' });
  }
  if (!(error instanceof Error) || isCancellation(error)) return error;
  // The name of a library's class is no type to rely on.
  const failure = ApplicationFailure.create({ type: 'Internal', message: error.message });
  failure.stack = error.stack;
  return failure;
}

/** Temporal knows a canceled activity by these. */
function isCancellation(error: Error): boolean {
  return error instanceof TemporalFailure || error.name === 'AbortError';
}

function withIssues(error: ReembedError): string {
  const issues = error.issues.map(({ path, message }) => `${path}: ${message}`);
  // Most messages tell them already.
  return [error.message, ...issues.filter((issue) => !error.message.includes(issue))].join('; ');
}

type Functions = Record<string, (...args: never[]) => Promise<unknown>>;

/** The same activities, failing in the way above. */
export function withFailures<T extends object>(activities: T): T {
  return Object.fromEntries(
    Object.entries(activities as Functions).map(([name, run]) => [
      name,
      async (...args: never[]) => {
        try {
          return await run(...args);
        } catch (error) {
          throw toFailure(error);
        }
      },
    ]),
  ) as T;
}
