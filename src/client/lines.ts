import { messageOf, ReembedError } from '../contract/errors.ts';
import { toJsonText } from '../contract/json-text/write.ts';

/**
 * Yields the lines of a response as they arrive, including a last one without a line end. Leaving the loop ends the
 * request. Error: `ServerUnavailable` if the connection breaks; an abort is thrown unchanged.
 */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest: string[] = [];
  for await (const chunk of chunksOf(response)) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    rest.push(first);
    for (const line of others) {
      // Kept in pieces until it is complete: appending to a long line repeatedly takes quadratic time.
      yield rest.join('');
      rest = [line];
    }
  }
  const last = rest.join('') + decoder.decode();
  if (last !== '') yield last;
}

/**
 * Yields the bytes of a response as they arrive. Leaving the loop ends the request. Error: `ServerUnavailable` if the
 * connection breaks; an abort is thrown unchanged.
 */
export async function* chunksOf({ body, url }: Response): AsyncGenerator<Uint8Array> {
  // Not every browser can iterate over a stream.
  const reader = body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) yield next.value;
  } catch (error) {
    if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) throw error;
    throw new ReembedError('ServerUnavailable', `the response of ${url} was cut off: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

const encoder = new TextEncoder();

/** Size of a chunk in characters: one chunk per line would cost more than the line itself. */
const CHUNK_CHARS = 64 * 1024;

/** Converts values to a stream of NDJSON, reading them only as fast as they are sent. */
export function toNdjson(values: AsyncIterable<unknown> | Iterable<unknown>): ReadableStream<Uint8Array> {
  async function* chunks() {
    let text = '';
    for await (const value of values) {
      text += `${toJsonText(value)}\n`;
      if (text.length < CHUNK_CHARS) continue;
      yield encoder.encode(text);
      text = '';
    }
    if (text !== '') yield encoder.encode(text);
  }
  const iterator = chunks();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await iterator.return(undefined);
    },
  });
}
