const encoder = new TextEncoder();

/** Characters buffered before each write: one write per object would cost more than the object. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Streams the values, one JSON text per line, as `write` makes it. It pulls values only as fast as the stream is read, and none after a
 * cancellation. An error in the middle aborts the stream, after a call of `onBroken`.
 */
export function ndjsonStream<T>(
  values: AsyncGenerator<T>,
  onBroken: (error: unknown) => void,
  write: (value: T) => string = (value) => JSON.stringify(value),
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const lines = await nextLines(values, write);
          if (lines === '') controller.close();
          else controller.enqueue(encoder.encode(lines));
        } catch (error) {
          onBroken(error);
          controller.error(new Error('the stream was broken off'));
        }
      },
      async cancel() {
        await values.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

async function nextLines<T>(values: AsyncGenerator<T>, write: (value: T) => string): Promise<string> {
  let lines = '';
  while (lines.length < CHUNK_CHARS) {
    const next = await values.next();
    if (next.done) break;
    lines += `${write(next.value)}\n`;
  }
  return lines;
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
