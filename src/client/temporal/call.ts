import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { type ErrorType, ReembedError } from '../../contract/errors.ts';

/** How long one call to the server may take; without it a server that hangs hangs its callers too. */
const CALL_TIMEOUT_MS = 5_000;

/**
 * Runs calls to the Temporal server with a deadline and turns what goes wrong into our errors. Errors: `TaskNotFound`
 * for an id that no workflow has, `TemporalUnavailable` when the server does not answer in time.
 */
export async function callTemporal<T>(
  client: Client,
  taskId: string,
  call: () => Promise<T>,
  options: { timeoutMs?: number } = {},
): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + (options.timeoutMs ?? CALL_TIMEOUT_MS), call);
  } catch (error) {
    throw toReembedError(error, taskId);
  }
}

/** Default time for which a call is repeated while the server does not answer. */
export const PATIENCE_MS = 15_000;

const OVERLOADED = 8;
/** gRPC codes: the call was given up, or the server is overloaded or away. */
const UNAVAILABLE_CODES: readonly number[] = [1, 4, OVERLOADED, 14];
const INVALID_ARGUMENT = 3;

function toReembedError(error: unknown, taskId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return taskNotFound(taskId);
  const code = grpcCodeOf(error);
  const outOfTime = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
  if (outOfTime || (code !== undefined && UNAVAILABLE_CODES.includes(code))) {
    return new ReembedError('TemporalUnavailable', 'the Temporal server does not answer', { cause: error });
  }
  return error;
}

export function taskNotFound(taskId: string): ReembedError {
  return new ReembedError('TaskNotFound', `there is no task ${taskId}`);
}

function grpcCodeOf(error: unknown): number | undefined {
  const grpc = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(grpc) ? grpc.code : undefined;
}

/** True of an error with which the server says that it cannot make sense of what it was asked. */
export function isInvalidArgument(error: unknown): boolean {
  return grpcCodeOf(error) === INVALID_ARGUMENT;
}

/** True of the `TemporalUnavailable` of a server that is there and has too much to do. */
export function isOverloaded(error: unknown): boolean {
  return isType(error, 'TemporalUnavailable') && grpcCodeOf((error as ReembedError).cause) === OVERLOADED;
}

export function isType(error: unknown, type: ErrorType): boolean {
  return error instanceof ReembedError && error.type === type;
}
