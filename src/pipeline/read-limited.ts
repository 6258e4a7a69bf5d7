import { ReembedError } from '../contract/errors.ts';

export function tooLarge(what: string, maxBytes: number): ReembedError {
  return new ReembedError('TooLarge', `${what} is larger than ${maxBytes} bytes`);
}

/** All bytes of a stream; throws `TooLarge` as soon as there are more than `maxBytes`, whatever was announced. */
export async function readLimited(stream: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(what, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
