const encoder = new TextEncoder();

/** Characters buffered before each write: one write per object would cost more than the object. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Streams the values, one JSON text per line. It pulls values only as fast as the stream is read, and none after a
 * cancellation. An error in the middle aborts the stream, after a call of `onBroken`.
 */
export function ndjsonStream<T>(
  values: AsyncGenerator<T>,
  onBroken: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  return byteStream(ndjsonChunks(values), onBroken);
}

/** Does the same with bytes. */
export function byteStream(
  chunks: AsyncGenerator<Uint8Array>,
  onBroken: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next();
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          onBroken(error);
          controller.error(new Error('the stream was broken off'));
        }
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Yields the values as lines, in chunks; `write` makes the JSON text of one. */
export async function* ndjsonChunks<T>(
  values: AsyncGenerator<T>,
  write: (value: T) => string = (value) => JSON.stringify(value),
): AsyncGenerator<Uint8Array> {
  let lines = '';
  for await (const value of values) {
    lines += `${write(value)}\n`;
    if (lines.length < CHUNK_CHARS) continue;
    yield encoder.encode(lines);
    lines = '';
  }
  if (lines !== '') yield encoder.encode(lines);
}

/** Waits for the first value, so that an immediate failure still becomes a proper error response. */
export async function primed<T>(values: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await values.next();
  return (async function* () {
    try {
      if (first.done) return;
      yield first.value;
      yield* values;
    } finally {
      await values.return(undefined);
    }
  })();
}
