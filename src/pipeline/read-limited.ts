import { ReembedError } from '../contract/errors.ts';

export function tooLarge(what: string, maxBytes: number): ReembedError {
  return new ReembedError('TooLarge', `${what} is larger than ${maxBytes} bytes`);
}

/** Called with the number of bytes received so far. @throws NeedsMemory if there is too little memory for them */
export type Admit = (bytes: number) => void;

/** Ends a read that needs more memory than is free. */
export class NeedsMemory extends Error {}

/** Reads all bytes of a stream; throws `TooLarge` as soon as there are more than `maxBytes`, whatever was announced. */
export async function readLimited(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
  admit?: Admit,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(what, maxBytes);
    admit?.(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
