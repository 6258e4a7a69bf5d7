const encoder = new TextEncoder();

/** Characters gathered before they are handed on: one write per object would cost more than the object. */
const CHUNK_CHARS = 64 * 1024;

/**
 * The values as one JSON text to a line. Values are only asked for as fast as the stream is read, and no more once it
 * is canceled. An error in the middle breaks the stream off, after `onBroken` was told.
 */
export function ndjsonStream(
  values: AsyncGenerator<unknown>,
  onBroken: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const lines = await nextLines(values);
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

async function nextLines(values: AsyncGenerator<unknown>): Promise<string> {
  let lines = '';
  while (lines.length < CHUNK_CHARS) {
    const next = await values.next();
    if (next.done) break;
    lines += `${JSON.stringify(next.value)}\n`;
  }
  return lines;
}

/** Waits for the first value, so that what fails at once still becomes a proper error answer. */
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
