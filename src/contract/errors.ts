/**
 * Every kind of error that reaches a user: its stable `type`, HTTP status, whether a retry can help, and a
 * title. Activities turn them into Temporal failures of the same type, the API into `application/problem+json`.
 */
export const ERROR_KINDS = {
  InvalidInput: { status: 400, retryable: false, title: 'The input is not valid' },
  InvalidSetting: { status: 500, retryable: false, title: 'A setting is not valid' },
  Unauthorized: { status: 401, retryable: false, title: 'An API token is required' },
  Forbidden: { status: 403, retryable: false, title: 'The token does not allow this' },
  NotFound: { status: 404, retryable: false, title: 'Not found' },
  MethodNotAllowed: { status: 405, retryable: false, title: 'The route does not support this method' },
  IndexNotFound: { status: 404, retryable: false, title: 'Index or alias not found' },
  ObjectNotFound: { status: 404, retryable: false, title: 'Object not found' },
  TaskNotFound: { status: 404, retryable: false, title: 'Task not found' },
  ScheduleNotFound: { status: 404, retryable: false, title: 'Schedule not found' },
  QuerySetNotFound: { status: 404, retryable: false, title: 'Query set not found' },
  SourceNotFound: { status: 404, retryable: false, title: 'Source not found' },
  EvaluationNotFound: { status: 404, retryable: false, title: 'The task has no evaluation, or not yet' },
  ReadsNotFound: { status: 404, retryable: false, title: 'The task has no shadow or canary reads, or not yet' },
  AliasNotFound: { status: 404, retryable: false, title: 'Alias not found' },
  IndexExists: { status: 409, retryable: false, title: 'An index with this name has different settings' },
  NameTaken: { status: 409, retryable: false, title: 'The name is already in use' },
  ScheduleExists: { status: 409, retryable: false, title: 'A schedule with this name and key already exists' },
  IndexDeleting: { status: 409, retryable: false, title: 'The index is being deleted' },
  IndexDeleted: { status: 409, retryable: false, title: 'The index was deleted after the task was accepted' },
  IndexLocked: { status: 409, retryable: false, title: 'A reindex has locked the index' },
  IndexAliased: { status: 409, retryable: false, title: 'An alias points to the index' },
  NotCurrent: { status: 409, retryable: true, title: 'The index is not ready to serve' },
  TaskLocked: { status: 409, retryable: false, title: 'A task with this id has different input' },
  NotAwaitingApproval: { status: 409, retryable: false, title: 'The task does not wait for an approval' },
  RollBackRefused: { status: 409, retryable: false, title: 'The reindex cannot be rolled back' },
  TaskClosed: { status: 409, retryable: false, title: 'The task has ended' },
  ReindexConflict: {
    status: 409,
    retryable: false,
    title: 'Another reindex or a deletion conflicts with this reindex',
  },
  LockLost: { status: 409, retryable: true, title: 'The reindex lock was lost' },
  TooLarge: { status: 413, retryable: false, title: 'The request is too large' },
  UnsupportedMedia: { status: 415, retryable: false, title: 'The content type is not supported' },
  WrongHost: { status: 421, retryable: false, title: 'This server does not serve that host name' },
  TooManyRequests: { status: 429, retryable: true, title: 'Too many requests with this token' },
  HeadersTooLarge: { status: 431, retryable: false, title: 'The URL and headers are too long' },
  LoadFailed: { status: 422, retryable: true, title: 'The payload could not be loaded' },
  LoadRefused: { status: 422, retryable: false, title: 'The payload may not be loaded from this address' },
  ModelUnavailable: { status: 503, retryable: true, title: 'The embedding model does not respond' },
  ModelRateLimited: { status: 503, retryable: true, title: 'The embedding provider limits the request rate' },
  ModelQuotaUsedUp: { status: 502, retryable: false, title: 'The quota at the embedding provider is exhausted' },
  ModelUnauthorized: { status: 502, retryable: false, title: 'The embedding provider rejects the API key' },
  ModelRefused: { status: 422, retryable: false, title: 'The embedding model may not be called as configured' },
  ModelNotFound: { status: 502, retryable: false, title: 'The embedding provider does not have the model' },
  TokenizerMissing: { status: 422, retryable: true, title: 'A tokenizer cannot be loaded' },
  ModelRejectedInput: { status: 422, retryable: false, title: 'The embedding model rejects the text' },
  ModelBadAnswer: { status: 502, retryable: true, title: 'The embedding model returned an invalid response' },
  ModelWrongDimension: {
    status: 502,
    retryable: false,
    title: 'The model returned vectors with a different number of dimensions',
  },
  ModelSameVector: {
    status: 502,
    retryable: false,
    title: 'The model returned the same vector for different texts',
  },
  BudgetUsedUp: { status: 409, retryable: false, title: 'The budget of the reindex is used up' },
  TooManyFailed: { status: 422, retryable: true, title: 'More objects failed than allowed' },
  VerifyFailed: { status: 500, retryable: true, title: 'The new index does not match the old one' },
  WriteFailed: { status: 409, retryable: false, title: 'The write that the search follows has failed' },
  SearchTimeout: { status: 504, retryable: true, title: 'The search timed out' },
  TaskTimeout: { status: 504, retryable: true, title: 'The job timed out' },
  TaskFailed: { status: 500, retryable: false, title: 'The task did not end with status done' },
  WorkerLost: { status: 503, retryable: true, title: 'The worker running the job died' },
  WorkerStopped: { status: 503, retryable: true, title: 'The worker running the job was stopped' },
  NoWorker: { status: 503, retryable: false, title: 'No worker of its queue started the job' },
  JobUnknown: { status: 404, retryable: true, title: 'The worker has no job with this name' },
  JobResultInvalid: { status: 500, retryable: false, title: 'The result of the job cannot be stored' },
  NotConnected: { status: 500, retryable: false, title: 'The job registry is not connected' },
  TemporalUnavailable: { status: 503, retryable: true, title: 'The Temporal server does not respond' },
  DatabaseUnavailable: { status: 503, retryable: true, title: 'The database does not respond' },
  Stopping: { status: 503, retryable: true, title: 'This process is shutting down' },
  DataDirInUse: { status: 500, retryable: false, title: 'Another process uses the data directory' },
  ServerUnavailable: { status: 500, retryable: false, title: 'A required server could not be found or downloaded' },
  Internal: { status: 500, retryable: true, title: 'An unexpected error' },
} as const;

export type ErrorType = keyof typeof ERROR_KINDS;

/** One problem in the input: its path in dotted form (`items.3.id`) and what was expected. */
export interface FieldIssue {
  path: string;
  message: string;
}

export interface ReembedErrorOptions {
  cause?: unknown;
  /** Each invalid field of bad input. */
  issues?: FieldIssue[];
  /** Wait that the other side asked for, in milliseconds (HTTP `Retry-After`). */
  retryAfterMs?: number;
  /** Stable code of the reason, where a type has several (conflict rules). */
  reason?: string;
  /** The task that may have been started although no response arrived. */
  taskId?: string;
}

/** The `reason` of `ModelRejectedInput` for a text that the model did not read to its end, although it answered. */
export const TRUNCATED = 'truncated';

/** The one error class of reembed; `type` is its stable kind. */
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

/** Creates an `InvalidInput` about one field. `detail` is its message; default: path and problem. */
export function invalidField(path: string, message: string, detail = `${path}: ${message}`): ReembedError {
  return new ReembedError('InvalidInput', detail, { issues: [{ path, message }] });
}

export function isErrorType(type: string): type is ErrorType {
  return Object.hasOwn(ERROR_KINDS, type);
}

/** Returns the message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
