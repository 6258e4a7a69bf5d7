import { ReembedError } from '../contract/errors.ts';

const KIB = 1024;
/** A number in JSON, with its comma, sign, exponent and the spaces of pretty-printed JSON. */
const BYTES_PER_NUMBER = 48;
/** An item without its vector. */
const BYTES_PER_ITEM = 2 * KIB;
const BYTES_AROUND = 64 * KIB;
/** A model with more dimensions than configured should fail with that error, not for the size of its response. */
const MIN_DIMENSIONS = 4_096;
const MIN_LIMIT = 16 * KIB * KIB;
/** Max bytes to read of a refusal; only some hundred characters are ever shown. */
const ERROR_BYTES = 64 * KIB;

/** Returns the max bytes of a response to this many texts. */
export function answerLimit(texts: number, dimensions: number): number {
  const of = (numbers: number) => BYTES_AROUND + texts * (BYTES_PER_ITEM + numbers * BYTES_PER_NUMBER);
  return Math.max(of(dimensions), Math.min(MIN_LIMIT, of(MIN_DIMENSIONS)));
}

/**
 * Reads the text of a response as it arrives, up to a limit after decompression. Throws `ModelBadAnswer` if there is
 * more, without reading the rest.
 */
export async function readAnswer(response: Response, maxBytes: number, label: string): Promise<string> {
  const { bytes, isWhole } = await readSome(response, maxBytes).catch((error: unknown) => {
    if (!isDamaged(error)) throw error;
    throw new ReembedError('ModelBadAnswer', `The ${label} answered with a body that cannot be decompressed`);
  });
  if (!isWhole) {
    throw new ReembedError('ModelBadAnswer', `The ${label} answered with more than ${maxBytes} bytes`);
  }
  return new TextDecoder().decode(bytes);
}

/** Reads the beginning of a refusal and drops the rest. */
export async function readRefusal(response: Response): Promise<string> {
  return new TextDecoder().decode((await readSome(response, ERROR_BYTES)).bytes);
}

/** Whether a body is damaged: `fetch` rejects as if the connection had ended, with the zlib error as cause. */
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
