import { z } from 'zod';
import { ERROR_KINDS, type ErrorType, isErrorType } from './errors.ts';

/** Media type of every error (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const URN = 'urn:reembed:error:';

/** The `type` of a problem: an address that never changes and ends with the contract's error type. */
export function problemTypeOf(type: ErrorType): string {
  return URN + type;
}

/** The contract's error type that a problem's `type` names; undefined for a problem that is not reembed's. */
export function errorTypeOf(problemType: string): ErrorType | undefined {
  const type = problemType.startsWith(URN) ? problemType.slice(URN.length) : '';
  return isErrorType(type) ? type : undefined;
}

/** The body of every error. `type` is `urn:reembed:error:` and one of the error types, for instance `IndexNotFound`. */
export const problemSchema = z
  .object({
    type: z.string().meta({
      examples: Object.keys(ERROR_KINDS)
        .slice(0, 1)
        .map((type) => URN + type),
    }),
    title: z.string(),
    status: z.int().min(400).max(599),
    /** What went wrong this time, for people. */
    detail: z.string(),
    /** The request, as in the log: `urn:reembed:request:` and its `X-Request-Id`. */
    instance: z.string().optional(),
    /** A stable code where a type has several reasons. */
    reason: z.string().optional(),
    /** Each bad field: `items.3.id` in the body, `query.limit`, `path.index` elsewhere. */
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.output<typeof problemSchema>;
