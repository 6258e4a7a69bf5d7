import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { type ErrorType, ReembedError } from '../contract/errors.ts';

/** Max. time of one call to the server; without it, a server that hangs would block its callers too. */
const CALL_TIMEOUT_MS = 5_000;

/**
 * Runs a call to the Temporal server with a deadline and converts its errors. Errors: `TaskNotFound` for an id that no
 * workflow has, `TemporalUnavailable` when the server does not answer in time.
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

/** The gRPC codes that the product distinguishes. */
export const GRPC = {
  canceled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const UNAVAILABLE_CODES: readonly number[] = [
  GRPC.canceled,
  GRPC.deadlineExceeded,
  GRPC.resourceExhausted,
  GRPC.unavailable,
];

function toReembedError(error: unknown, taskId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return taskNotFound(taskId);
  if (!isTemporalUnavailable(error)) return error;
  return new ReembedError('TemporalUnavailable', 'the Temporal server does not answer', { cause: error });
}

/** Returns true if the server did not answer, or was overloaded. */
export function isTemporalUnavailable(error: unknown): boolean {
  const code = grpcCodeOf(error);
  const outOfTime = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
  return outOfTime || isChannelClosed(error) || (code !== undefined && UNAVAILABLE_CODES.includes(code));
}

/** Returns true if this process has closed its connection, for a shutdown. The gRPC library has no code for that. */
function isChannelClosed(error: unknown): boolean {
  const grpc = error instanceof ServiceError ? error.cause : error;
  return grpc instanceof Error && grpc.message === 'Channel has been shut down';
}

export function taskNotFound(taskId: string): ReembedError {
  return new ReembedError('TaskNotFound', `there is no task ${taskId}`);
}

/** Returns the gRPC code of an error, if it has one. */
export function grpcCodeOf(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code; // errors of the worker's connection carry it themselves
  return error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause.code : undefined;
}

/** Returns true if the server rejected a request as invalid. */
export function isInvalidArgument(error: unknown): boolean {
  return grpcCodeOf(error) === GRPC.invalidArgument;
}

/** Returns true for a `TemporalUnavailable` of a server that is overloaded. */
export function isOverloaded(error: unknown): boolean {
  return isType(error, 'TemporalUnavailable') && grpcCodeOf((error as ReembedError).cause) === GRPC.resourceExhausted;
}

export function isType(error: unknown, type: ErrorType): boolean {
  return error instanceof ReembedError && error.type === type;
}
