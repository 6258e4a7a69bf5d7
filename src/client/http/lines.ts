import { messageOf, ReembedError } from '../../contract/errors.ts';
import { toJsonText } from '../../contract/json-text/write.ts';

/**
 * The lines of an answer as they arrive, also a last one without an end. Leaving the loop ends the request. Error:
 * `ServerUnavailable` when the connection breaks; an abort is thrown as it is.
 */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest: string[] = [];
  for await (const chunk of chunksOf(response)) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    rest.push(first);
    for (const line of others) {
      // Kept in pieces until it is whole: adding to a long line again and again takes the square of its length.
      yield rest.join('');
      rest = [line];
    }
  }
  const last = rest.join('') + decoder.decode();
  if (last !== '') yield last;
}

async function* chunksOf({ body, url }: Response): AsyncGenerator<Uint8Array> {
  // Not every browser can loop over a stream.
  const reader = body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) yield next.value;
  } catch (error) {
    if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) throw error;
    throw new ReembedError('ServerUnavailable', `${url} broke off: ${messageOf(error)}`, { cause: error });
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

const encoder = new TextEncoder();

/** Characters sent at once: a chunk of its own for each line would cost more than the line. */
const CHUNK_CHARS = 64 * 1024;

/** Values as NDJSON, asked for only as fast as they are sent. */
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
