import { readFile } from 'node:fs/promises';
import { messageOf, ReembedError } from '../contract/errors.ts';

/** The first bytes of a file of word vectors; the digit is the version of the layout. */
const WORD_VECTORS_MAGIC = 'RWV1';
const HEADER_BYTES = 16;

/** `src/models` and `dist/models` are both two levels below the root of the package, where `data/` is. */
const FILE = new URL('../../data/words/glove-100d-30k.bin', import.meta.url);

/** Word vectors in memory: row `r` is `scales[r] * components[r * dimensions .. (r + 1) * dimensions)`. */
export interface WordVectors {
  dimensions: number;
  /** The row of each word; rows are in order of decreasing frequency, so a row is also a rank. */
  rows: Map<string, number>;
  scales: Float32Array;
  components: Int8Array;
}

let loading: Promise<WordVectors> | undefined;

/** Reads the package's word vectors once per process. Throws `ModelNotFound` if the file is missing or broken. */
export function loadWordVectors(): Promise<WordVectors> {
  loading ??= readWordVectors(FILE).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function readWordVectors(file: URL): Promise<WordVectors> {
  try {
    return parseWordVectors(await readFile(file));
  } catch (error) {
    throw new ReembedError('ModelNotFound', `The word vectors of the package cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Parses the file. Layout, little-endian: 4 bytes magic, uint32 words, uint32 dimensions, uint32 bytes of the word
 * list, float32 scale of each word, int8 components word by word, the words in UTF-8 separated by line feeds.
 */
export function parseWordVectors(bytes: Buffer): WordVectors {
  if (bytes.toString('latin1', 0, 4) !== WORD_VECTORS_MAGIC) throw new Error('not a file of word vectors');
  const count = bytes.readUInt32LE(4);
  const dimensions = bytes.readUInt32LE(8);
  const wordBytes = bytes.readUInt32LE(12);
  const componentsAt = HEADER_BYTES + 4 * count;
  const wordsAt = componentsAt + count * dimensions;
  if (bytes.length !== wordsAt + wordBytes) throw new Error('the file of word vectors is truncated');

  const scales = Float32Array.from({ length: count }, (_, row) => bytes.readFloatLE(HEADER_BYTES + 4 * row));
  const components = new Int8Array(bytes.buffer, bytes.byteOffset + componentsAt, count * dimensions);
  const words = bytes.toString('utf8', wordsAt).split('\n');
  return { dimensions, rows: new Map(words.map((word, row) => [word, row])), scales, components };
}

/** The inverse of `parseWordVectors`; `vectors` holds `words.length * dimensions` numbers. */
export function formatWordVectors(words: readonly string[], vectors: Float64Array, dimensions: number): Buffer {
  const list = Buffer.from(words.join('\n'), 'utf8');
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(WORD_VECTORS_MAGIC, 'latin1');
  header.writeUInt32LE(words.length, 4);
  header.writeUInt32LE(dimensions, 8);
  header.writeUInt32LE(list.length, 12);

  const scales = Buffer.alloc(4 * words.length);
  const components = Buffer.alloc(words.length * dimensions);
  for (let row = 0; row < words.length; row++) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    // One scale per vector: frequent words are much shorter than rare ones, and a common scale would leave them only a
    // few of the 255 steps.
    const scale = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    scales.writeFloatLE(scale, 4 * row);
    for (const [at, value] of vector.entries()) {
      components.writeInt8(scale === 0 ? 0 : Math.round(value / scale), row * dimensions + at);
    }
  }
  return Buffer.concat([header, scales, components, list]);
}
