import type { Context } from 'hono';
import type { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { LIMITS } from '../../contract/limits.ts';
import { whereJsonBreaks } from '../json-error.ts';

/** The media type of the request's body, in lower case and without parameters; JSON if it names none. */
export function mediaTypeOf(c: Context): string {
  return (c.req.header('content-type')?.split(';')[0] ?? 'application/json').trim().toLowerCase();
}

/** Reads and checks a JSON body. Errors: `TooLarge`, `InvalidInput` with where it is no JSON, or a `ZodError`. */
export async function readJson<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(c.req.raw.body);
  if (text.trim() === '') throw new ReembedError('InvalidInput', 'the body is empty: JSON is expected');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ReembedError('InvalidInput', `the body is not valid JSON: ${whereJsonBreaks(text, error)}`);
  }
  return schema.parse(value);
}

/** Not more than a JSON body may have is kept, whatever length the request claims. */
async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > LIMITS.bodyBytes) {
      const most = `${LIMITS.bodyBytes / 1024 / 1024} MB`;
      throw new ReembedError('TooLarge', `the body has more than ${most}: send items as application/x-ndjson instead`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
