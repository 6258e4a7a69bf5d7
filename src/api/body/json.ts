import type { Context, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { fieldIssues, issuesText } from '../../contract/issues.ts';
import { type Json, jsonProblem } from '../../contract/json.ts';
import { JsonTextError } from '../../contract/json-text/error.ts';
import { isBlank } from '../../contract/json-text/lines.ts';
import { type ParseOptions, parseJsonText, TEXT_LIMITS } from '../../contract/json-text/parse.ts';
import { LIMITS } from '../../contract/limits.ts';
import { whereJsonBreaks } from '../json-error.ts';
import { formOf } from './media.ts';

export interface BodyOptions extends ParseOptions {
  /** Most bytes; `LIMITS.smallBodyBytes` if absent. */
  maxBytes?: number;
  /** A field at the top that may hold NUL characters: it goes to no database. */
  anyText?: string;
}

/**
 * Reads the JSON body of a request, exactly as it is written or not at all: see `parseJsonText`. Errors: `TooLarge`,
 * `UnsupportedMedia`, and `InvalidInput` naming the field or the place.
 */
export async function readJsonBody(c: Context, options: BodyOptions = {}): Promise<Json> {
  formOf(c, ['json']);
  const value = parseBody(await readBytes(c.req.raw.body, options.maxBytes ?? LIMITS.smallBodyBytes), options);
  requireStorable(value, options.anyText);
  return value;
}

function requireStorable(value: Json, anyText: string | undefined): void {
  const checked = anyText === undefined || !isObject(value) ? value : { ...value, [anyText]: null };
  const problem = jsonProblem(checked, TEXT_LIMITS, { anyNumber: true });
  if (problem) throw new JsonTextError(problem.message, { path: problem.path }).toInvalidInput();
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same, checked. */
export async function readJson<T>(c: Context, schema: z.ZodType<T>, options?: BodyOptions): Promise<T> {
  return parseInput(schema, await readJsonBody(c, options));
}

/** Gives the validators behind it the body that `readJsonBody` reads: Hono's own reader changes what it cannot keep. */
export function jsonBody(options?: BodyOptions): MiddlewareHandler {
  return async (c, next) => {
    const value = await readJsonBody(c, options);
    Object.assign(c.req, { json: async () => value });
    await next();
  };
}

/** Checks what a caller has sent. Error: `InvalidInput` with each bad field. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, prefix: readonly PropertyKey[] = []): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error, prefix);
  throw new ReembedError('InvalidInput', issuesText(issues) || 'the input is not valid', {
    issues,
    cause: parsed.error,
  });
}

/** Parses a body. Error: `InvalidInput`. */
export function parseBody(bytes: Uint8Array, options?: ParseOptions): Json {
  if (isBlank(bytes)) throw new ReembedError('InvalidInput', 'the body is empty: JSON is expected');
  try {
    return parseJsonText(bytes, options);
  } catch (error) {
    throw badBody(error);
  }
}

/** A `JsonTextError` as the error of a call; `prefix` comes before the path of the field. */
export function badBody(error: unknown, prefix: readonly (string | number)[] = []): unknown {
  if (!(error instanceof JsonTextError)) return error;
  const { text, path, cause } = error;
  const place = text === undefined ? '' : `: ${whereJsonBreaks(text, cause)}`;
  return new JsonTextError(error.message + place, { path, cause }).toInvalidInput(prefix);
}

/** Whatever length the request claims, no more than allowed is kept. Error: `TooLarge`. */
export async function readBytes(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      const most = `${maxBytes / 1024 / 1024} MB`;
      const hint = maxBytes >= LIMITS.bodyBytes ? ': send items as application/x-ndjson instead' : '';
      throw new ReembedError('TooLarge', `the body has more than ${most}${hint}`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
