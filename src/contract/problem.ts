import { z } from 'zod';
import { ERROR_KINDS, type ErrorType, isErrorType } from './errors.ts';

/** Media type of every error (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const URN = 'urn:reembed:error:';

/** Returns the `type` of a problem: a stable URN that ends with the contract's error type. */
export function problemTypeOf(type: ErrorType): string {
  return URN + type;
}

/** Returns the contract's error type for a problem's `type`; undefined for a problem that is not from reembed. */
export function errorTypeOf(problemType: string): ErrorType | undefined {
  const type = problemType.startsWith(URN) ? problemType.slice(URN.length) : '';
  return isErrorType(type) ? type : undefined;
}

/** The body of every error. `type` is `urn:reembed:error:` and one of the error types, for instance `IndexNotFound`. */
export const problemSchema = z
  .object({
    // Closed in the document but open for clients, which may be older than the server.
    type: z.string().meta({
      description: 'The kind of error. Stable: programs may rely on it.',
      enum: Object.keys(ERROR_KINDS).map((type) => URN + type),
    }),
    title: z.string().describe('The kind of error in words.'),
    status: z.int().min(400).max(599).describe('The HTTP status.'),
    detail: z.string().describe('What went wrong in this case, for people.'),
    instance: z
      .string()
      .optional()
      .describe('The request, as in the log: `urn:reembed:request:` and its `X-Request-Id`.'),
    reason: z.string().optional().describe('A stable code, where a type has several reasons.'),
    issues: z
      .array(
        z.object({
          path: z.string().describe('`items.3.id` in the body, `query.limit` and `path.index` elsewhere.'),
          message: z.string(),
        }),
      )
      .optional()
      .describe('Each invalid field.'),
  })
  .meta({
    id: 'Problem',
    description: 'The body of every error response (RFC 9457).',
    examples: [
      {
        type: `${URN}InvalidInput`,
        title: ERROR_KINDS.InvalidInput.title,
        status: 400,
        detail: 'limit: must be at most 1000',
        instance: `${URN.replace('error', 'request')}5f6c1f3e-8b0e-4f5a-9c39-4f3bb0a3d1c2`,
        issues: [{ path: 'limit', message: 'must be at most 1000' }],
      },
    ],
  });

export type Problem = z.output<typeof problemSchema>;
