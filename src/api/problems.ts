import { WorkflowNotFoundError } from '@temporalio/common';
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import { z } from 'zod';
import { ERROR_KINDS, type ErrorType, ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import { PROBLEM_MEDIA_TYPE, type Problem, problemSchema, problemTypeOf } from '../contract/problem.ts';
import { codeOf, isBusy, isConnectionError, SQLSTATE } from '../store/sqlstate.ts';
import { isTemporalUnavailable } from '../temporal/call.ts';

export type { Problem } from '../contract/problem.ts';

/** Logger of the handlers; a pino logger, or part of one. */
export type ApiLog = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface ProblemAnswer {
  status: ContentfulStatusCode;
  body: Problem;
  headers?: Record<string, string>;
}

/** Detail of an unknown error, whose own message could reveal internals. */
const UNEXPECTED = 'something went wrong inside reembed; its log says what';

/** Converts an error to a problem. An unknown error becomes `Internal` and does not reveal its message. */
export function problemOf(error: unknown): ProblemAnswer {
  const known = recognize(error);
  const { type } = known;
  const { title } = ERROR_KINDS[type];
  const status = known.status as ContentfulStatusCode;
  const body: Problem = {
    type: problemTypeOf(type),
    title,
    status,
    detail: type === 'Internal' ? UNEXPECTED : known.message,
    ...(known.reason !== undefined && { reason: known.reason }),
    ...(known.issues.length > 0 && { issues: known.issues }),
  };
  const headers: Record<string, string> = {};
  if (known.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(known.retryAfterMs / 1_000));
  if (type === 'Unauthorized') headers['www-authenticate'] = 'Bearer realm="reembed"';
  return { status, body, ...(Object.keys(headers).length > 0 && { headers }) };
}

/** Creates the answer to a request that failed with `error`. */
export function problemResponse(c: Context, error: unknown): Response {
  const { status, body, headers } = problemOf(error);
  const requestId = c.get('requestId') as string | undefined;
  const problem = requestId ? { ...body, instance: `urn:reembed:request:${requestId}` } : body;
  return c.body(JSON.stringify(problem), status, { ...headers, 'content-type': PROBLEM_MEDIA_TYPE });
}

/** Handler for `app.onError`: answers with a problem and logs errors that are ours or our servers'. */
export function onError(log?: ApiLog): ErrorHandler {
  return (error, c) => {
    const answer = problemOf(error);
    const requestId = c.get('requestId');
    if (answer.body.type === problemTypeOf('Internal')) log?.error({ err: error, requestId }, 'a request failed');
    else if (answer.status >= 500)
      log?.warn({ requestId, type: answer.body.type, detail: answer.body.detail }, 'refused');
    return problemResponse(c, error);
  };
}

/** Handler for `app.notFound`. It does not repeat the path, which may be of any length and hold anything. */
export const notFound: NotFoundHandler = (c) =>
  problemResponse(c, new ReembedError('NotFound', 'no such route: see /openapi.json'));

/** Handler for an address that exists with other methods. */
export function methodNotAllowed(c: Context, methods: readonly string[]): Response {
  const allow = methods.join(', ');
  const response = problemResponse(c, new ReembedError('MethodNotAllowed', `this address takes ${allow}`));
  response.headers.set('allow', allow);
  return response;
}

/** First segment of an issue's path: the part of the request that was validated; the body needs none. */
const PLACE: Record<string, string[]> = { json: [], form: [], query: ['query'], param: ['path'], header: ['header'] };

/** `defaultHook` of every `OpenAPIHono`: throws `InvalidInput` naming each bad field, for `onError` to answer. */
export function validationHook(result: { success: boolean; target: string; error?: z.core.$ZodError }): undefined {
  if (result.success || !result.error) return undefined;
  throw invalidInput(fieldIssues(result.error, PLACE[result.target] ?? [result.target]), result.error);
}

interface ProblemResponse {
  description: string;
  content: { [PROBLEM_MEDIA_TYPE]: { schema: z.ZodType } };
  headers?: typeof RETRY_AFTER;
}

const RETRY_AFTER = {
  'Retry-After': {
    description: 'Seconds to wait, where the other side names them.',
    schema: { type: 'integer' as const },
  },
};

/** Returns the OpenAPI `responses` of a route that can fail with these errors. */
export function problemResponses(...types: ErrorType[]): Record<number, ProblemResponse> {
  const byStatus = new Map<number, ErrorType[]>();
  for (const type of types) {
    const { status } = ERROR_KINDS[type];
    byStatus.set(status, [...(byStatus.get(status) ?? []), type]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((type) => `\`${type}\`: ${ERROR_KINDS[type].title}.`).join(' '),
        content: {
          [PROBLEM_MEDIA_TYPE]: { schema: problemSchema.and(z.object({ type: z.enum(of.map(problemTypeOf)) })) },
        },
        ...(of.includes('ModelRateLimited') && { headers: RETRY_AFTER }),
      },
    ]),
  );
}

interface Known extends Pick<ReembedError, 'type' | 'message' | 'status' | 'issues' | 'retryAfterMs' | 'reason'> {}

function recognize(error: unknown): Known {
  if (error instanceof ReembedError) return error;
  if (error instanceof HTTPException) return fromHttpException(error);
  if (error instanceof WorkflowNotFoundError) return new ReembedError('TaskNotFound', 'there is no such task');
  if (isTemporalUnavailable(error))
    return new ReembedError('TemporalUnavailable', 'the Temporal server does not answer');
  if (isConnectionError(error)) return new ReembedError('DatabaseUnavailable', 'the database does not answer');
  if (isBusy(error)) return new ReembedError('DatabaseUnavailable', 'the database is too busy: try again in a moment');
  // The index's tables were dropped after its name was resolved.
  if (codeOf(error) === SQLSTATE.undefinedTable)
    return new ReembedError('IndexNotFound', 'the index has just been deleted');
  return new ReembedError('Internal', UNEXPECTED);
}

function invalidInput(issues: ReturnType<typeof fieldIssues>, cause: unknown): ReembedError {
  return new ReembedError('InvalidInput', issuesText(issues) || 'the input is not valid', { issues, cause });
}

const TYPE_OF_STATUS: Record<number, ErrorType> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'TooLarge',
  415: 'UnsupportedMedia',
};

function fromHttpException(error: HTTPException): Known {
  const type = TYPE_OF_STATUS[error.status] ?? (error.status < 500 ? 'InvalidInput' : 'Internal');
  const message = type === 'UnsupportedMedia' ? 'send a body of content type application/json' : error.message;
  const known = new ReembedError(type, message || ERROR_KINDS[type].title, { cause: error });
  return { type, message: known.message, status: error.status, issues: [], retryAfterMs: undefined, reason: undefined };
}
