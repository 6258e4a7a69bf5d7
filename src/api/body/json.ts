import type { Context, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { fieldIssues, issuesText } from '../../contract/issues.ts';
import { type Json, jsonProblem } from '../../contract/json.ts';
import { JsonTextError } from '../../contract/json-text/error.ts';
import { isBlank, joinBytes } from '../../contract/json-text/lines.ts';
import { type ParseOptions, parseJsonText, TEXT_LIMITS } from '../../contract/json-text/parse.ts';
import { LIMITS } from '../../contract/limits.ts';
import { isJsonObject } from '../../contract/objects.ts';
import type { ApiEnv } from '../create-router.ts';
import { describeJsonError } from '../json-error.ts';
import { bodyTooLarge } from '../middleware/body-limit.ts';
import { passByBody, passedOn } from '../places/pass-on.ts';
import { formOf } from './media.ts';
import { openBodyOf } from './memory.ts';

export interface BodyOptions extends ParseOptions {
  /** Max bytes; default: `LIMITS.smallBodyBytes`. */
  maxBytes?: number;
  /** Top-level field that may contain NUL characters, since it is never stored in a database. */
  anyText?: string;
}

/**
 * Reads the JSON body of a request, exactly as written, or refuses it: see `parseJsonText`. Errors: `TooLarge`,
 * `UnsupportedMedia`, and `InvalidInput` naming the field or the position.
 */
export async function readJsonBody(c: Context, options: BodyOptions = {}): Promise<Json> {
  formOf(c, ['json']);
  const value = parseBody(await readBytes(c, options.maxBytes ?? LIMITS.smallBodyBytes), options);
  requireStorable(value, options);
  return value;
}

function requireStorable(value: Json, { anyText, limits = TEXT_LIMITS }: BodyOptions): void {
  const checked = anyText === undefined || !isJsonObject(value) ? value : { ...value, [anyText]: null };
  const problem = jsonProblem(checked, limits, { anyNumber: true });
  if (problem) throw new JsonTextError(problem.message, { path: problem.path }).toInvalidInput();
}

/** Reads a JSON body and checks it against a schema. */
export async function readJson<T>(c: Context, schema: z.ZodType<T>, options?: BodyOptions): Promise<T> {
  return parseInput(schema, await readJsonBody(c, options));
}

/** Returns what decides about the database of a request, by its body. */
type PlacedBy = Parameters<typeof passByBody>[2];

/**
 * Passes the body that `readJsonBody` reads to the validators: Hono's own reader alters values it cannot keep. With
 * `placedBy`, a request about another database is passed on to the app of that database.
 */
export function jsonBody({ placedBy, ...options }: BodyOptions & { placedBy?: PlacedBy } = {}): MiddlewareHandler {
  return async (c, next) => {
    const passed = passedOn(c);
    const value = passed?.body ? passed.body.value : await readJsonBody(c, options);
    const answer = placedBy && !passed ? await passByBody(c, value, placedBy) : undefined;
    if (answer) return answer;
    Object.assign(c.req, { json: async () => value });
    await next();
    return undefined;
  };
}

/** Checks input against a schema. Error: `InvalidInput` with each bad field. */
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

/** Converts a `JsonTextError` to the error of a call; `prefix` precedes the path of the field. */
export function badBody(error: unknown, prefix: readonly (string | number)[] = []): unknown {
  if (!(error instanceof JsonTextError)) return error;
  const { text, path, cause } = error;
  const place = text === undefined ? '' : `: ${describeJsonError(text, cause)}`;
  return new JsonTextError(error.message + place, { path, cause }).toInvalidInput(prefix);
}

/** Reads a body up to the limit. Errors: those of `readPieces`. */
async function readBytes(c: Context<ApiEnv>, maxBytes: number): Promise<Uint8Array> {
  return joinBytes(await readPieces(c, maxBytes));
}

const PIECE_BYTES = 1024 * 1024;

/**
 * Reads up to the limit, whatever length the request declares, in pieces of about 1 MB: to join many megabytes blocks
 * the event loop. Errors: `TooLarge`, `TooManyRequests`.
 */
export async function readPieces(c: Context<ApiEnv>, maxBytes: number): Promise<Uint8Array[]> {
  const max = c.get('bodyBytes') ?? maxBytes;
  const held = openBodyOf(c);
  const pieces: Uint8Array[] = [];
  let received: Uint8Array[] = [];
  let bytes = 0;
  let pieceBytes = 0;
  for await (const piece of c.req.raw.body ?? []) {
    bytes += piece.length;
    if (bytes > max) throw bodyTooLarge(max);
    if (bytes > maxBytes) {
      const hint = maxBytes >= LIMITS.bodyBytes ? ': send items as application/x-ndjson instead' : '';
      throw new ReembedError('TooLarge', `the body has more than ${maxBytes / 1024 / 1024} MB${hint}`);
    }
    await held.hold(bytes);
    received.push(piece);
    pieceBytes += piece.length;
    if (pieceBytes < PIECE_BYTES) continue;
    pieces.push(joinBytes(received));
    received = [];
    pieceBytes = 0;
  }
  if (received.length > 0) pieces.push(joinBytes(received));
  return pieces;
}
