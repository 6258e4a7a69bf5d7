import { ReembedError } from '../contract/errors.ts';

const KIB = 1024;
/** A number in JSON, with its comma, sign, exponent and the spaces of a pretty-printed answer. */
const BYTES_PER_NUMBER = 48;
/** Of an item without its vector. */
const BYTES_PER_ITEM = 2 * KIB;
const BYTES_AROUND = 64 * KIB;
/** A model with more dimensions than configured is to be named as that, not as one that answers too much. */
const LEAST_DIMENSIONS = 4_096;
const LEAST_MOST = 16 * KIB * KIB;
/** Of a refusal; only some hundred characters are ever shown. */
const ERROR_BYTES = 64 * KIB;

/** The most bytes that an answer to this many texts may have. */
export function answerLimit(texts: number, dimensions: number): number {
  const of = (numbers: number) => BYTES_AROUND + texts * (BYTES_PER_ITEM + numbers * BYTES_PER_NUMBER);
  return Math.max(of(dimensions), Math.min(LEAST_MOST, of(LEAST_DIMENSIONS)));
}

/**
 * The text of an answer, read as it comes and only to its limit, after decompression. Throws `ModelBadAnswer` when there
 * is more; the rest is not read.
 */
export async function readAnswer(response: Response, maxBytes: number, label: string): Promise<string> {
  const { bytes, isWhole } = await readSome(response, maxBytes).catch((error: unknown) => {
    if (!isDamaged(error)) throw error;
    throw new ReembedError('ModelBadAnswer', `The ${label} answered with a body that is not compressed as it says`);
  });
  if (!isWhole) {
    throw new ReembedError('ModelBadAnswer', `The ${label} answered with more than ${maxBytes} bytes`);
  }
  return new TextDecoder().decode(bytes);
}

/** The beginning of a refusal, which ends there. */
export async function readRefusal(response: Response): Promise<string> {
  return new TextDecoder().decode((await readSome(response, ERROR_BYTES)).bytes);
}

/** `fetch` rejects as if the connection had ended; its cause is the error of zlib. */
function isDamaged(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_');
}

async function readSome(response: Response, maxBytes: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return { bytes: Buffer.alloc(0), isWhole: true };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: Buffer.concat(chunks), isWhole: true };
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel().catch(() => {});
      return { bytes: Buffer.concat(chunks), isWhole: false };
    }
    chunks.push(value);
  }
}
