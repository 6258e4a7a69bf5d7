/**
 * Every kind of error that reaches a user: its stable `type`, the HTTP status, whether trying again can help, and a
 * title. Activities turn them into Temporal failures of the same type, the API into `application/problem+json`.
 */
export const ERROR_KINDS = {
  InvalidInput: { status: 400, retryable: false, title: 'The input is not valid' },
  InvalidSetting: { status: 500, retryable: false, title: 'A setting is not valid' },
  Unauthorized: { status: 401, retryable: false, title: 'A token is needed' },
  Forbidden: { status: 403, retryable: false, title: 'The token does not allow this' },
  NotFound: { status: 404, retryable: false, title: 'Not found' },
  MethodNotAllowed: { status: 405, retryable: false, title: 'There is no such method at this address' },
  IndexNotFound: { status: 404, retryable: false, title: 'There is no such index or alias' },
  ObjectNotFound: { status: 404, retryable: false, title: 'There is no such object' },
  TaskNotFound: { status: 404, retryable: false, title: 'There is no such task' },
  ScheduleNotFound: { status: 404, retryable: false, title: 'There is no such schedule' },
  AliasNotFound: { status: 404, retryable: false, title: 'There is no such alias' },
  IndexExists: { status: 409, retryable: false, title: 'The name is taken by an index with other settings' },
  NameTaken: { status: 409, retryable: false, title: 'The name is taken' },
  ScheduleExists: { status: 409, retryable: false, title: 'There is a schedule of this name and key' },
  IndexDeleting: { status: 409, retryable: false, title: 'The index is being deleted' },
  IndexDeleted: { status: 409, retryable: false, title: 'The index was deleted since the task was accepted' },
  IndexLocked: { status: 409, retryable: false, title: 'A reindex holds the index' },
  IndexAliased: { status: 409, retryable: false, title: 'An alias points to the index' },
  NotCurrent: { status: 409, retryable: true, title: 'The index is not up to date yet' },
  TaskLocked: { status: 409, retryable: false, title: 'The id belongs to a task with other input' },
  TaskClosed: { status: 409, retryable: false, title: 'The task has ended' },
  ReindexConflict: { status: 409, retryable: false, title: 'Another reindex or a deletion is in the way' },
  LockLost: { status: 409, retryable: true, title: 'The reindex lock was lost' },
  TooLarge: { status: 413, retryable: false, title: 'Too large' },
  UnsupportedMedia: { status: 415, retryable: false, title: 'The content type is not supported' },
  WrongHost: { status: 421, retryable: false, title: 'This server does not go by that name' },
  TooManyRequests: { status: 429, retryable: true, title: 'The token has sent too much at once' },
  HeadersTooLarge: { status: 431, retryable: false, title: 'Address and headers are too long' },
  LoadFailed: { status: 422, retryable: true, title: 'The payload could not be loaded' },
  LoadRefused: { status: 422, retryable: false, title: 'The payload may not be loaded from there' },
  ModelUnavailable: { status: 503, retryable: true, title: 'The embedding model does not answer' },
  ModelRateLimited: { status: 503, retryable: true, title: 'The embedding provider asks to slow down' },
  ModelQuotaUsedUp: { status: 502, retryable: false, title: 'The quota at the embedding provider is used up' },
  ModelUnauthorized: { status: 502, retryable: false, title: 'The embedding provider refuses the key' },
  ModelRefused: { status: 422, retryable: false, title: 'The embedding model may not be called as configured' },
  ModelNotFound: { status: 502, retryable: false, title: 'The embedding provider does not know the model' },
  ModelRejectedInput: { status: 422, retryable: false, title: 'The embedding model rejects the text' },
  ModelBadAnswer: { status: 502, retryable: true, title: 'The answer of the embedding model cannot be used' },
  ModelWrongDimension: { status: 502, retryable: false, title: 'The model answers with another number of dimensions' },
  TooManyFailed: { status: 422, retryable: true, title: 'More objects failed than allowed' },
  VerifyFailed: { status: 500, retryable: true, title: 'The new index does not match the old one' },
  SearchTimeout: { status: 504, retryable: true, title: 'The search took longer than its time' },
  TaskTimeout: { status: 504, retryable: true, title: 'The job took longer than its timeout' },
  TaskFailed: { status: 500, retryable: false, title: 'The task did not end as done' },
  WorkerLost: { status: 503, retryable: true, title: 'The worker of the job died' },
  WorkerStopped: { status: 503, retryable: true, title: 'The worker of the job was stopped' },
  NoWorker: { status: 503, retryable: false, title: 'No worker of its queue took the job' },
  JobUnknown: { status: 404, retryable: true, title: 'The worker has no job of this name' },
  JobResultInvalid: { status: 500, retryable: false, title: 'The result of the job cannot be kept' },
  NotConnected: { status: 500, retryable: false, title: 'The registry of jobs is not connected' },
  TemporalUnavailable: { status: 503, retryable: true, title: 'The Temporal server does not answer' },
  DatabaseUnavailable: { status: 503, retryable: true, title: 'The database does not answer' },
  Stopping: { status: 503, retryable: true, title: 'This process is being stopped' },
  DataDirInUse: { status: 500, retryable: false, title: 'Another process uses the data directory' },
  ServerUnavailable: { status: 500, retryable: false, title: 'A needed server could not be found or fetched' },
  Internal: { status: 500, retryable: true, title: 'An unexpected error' },
} as const;

export type ErrorType = keyof typeof ERROR_KINDS;

/** One thing wrong with the input: where, in dotted form (`items.3.id`), and what was expected. */
export interface FieldIssue {
  path: string;
  message: string;
}

export interface ReembedErrorOptions {
  cause?: unknown;
  /** For bad input: each bad field. */
  issues?: FieldIssue[];
  /** How long the other side asked us to wait, in milliseconds (HTTP `Retry-After`). */
  retryAfterMs?: number;
  /** A stable code of the reason, where a type has several (conflict rules). */
  reason?: string;
  /** Of a task that may have been started although the answer did not come. */
  taskId?: string;
}

/** The one error class of reembed; `type` tells the kind and is stable. */
export class ReembedError extends Error {
  readonly type: ErrorType;
  readonly issues: FieldIssue[];
  readonly retryAfterMs: number | undefined;
  readonly reason: string | undefined;
  readonly taskId: string | undefined;

  constructor(type: ErrorType, message: string, options: ReembedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = type;
    this.type = type;
    this.issues = options.issues ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.reason = options.reason;
    this.taskId = options.taskId;
  }

  get retryable(): boolean {
    return ERROR_KINDS[this.type].retryable;
  }

  get status(): number {
    return ERROR_KINDS[this.type].status;
  }
}

export function isErrorType(type: string): type is ErrorType {
  return Object.hasOwn(ERROR_KINDS, type);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
