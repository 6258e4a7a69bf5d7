import { endianness } from 'node:os';
import { ReembedError } from '../contract/errors.ts';

/** The label of the model, and the texts of the request. */
export interface AnswerTo {
  label: string;
  texts: readonly string[];
}

/**
 * Reads an OpenAI-compatible response: the numbers for each text in the order of the texts, or null where nothing can
 * be read. An `index` says which text an item is for; the order of the items counts only if none of them has one.
 * Throws `ModelBadAnswer` if the items cannot be assigned to the texts unambiguously.
 */
export function readVectors(parsed: unknown, { label, texts }: AnswerTo): unknown[] {
  const bad = (what: string) => new ReembedError('ModelBadAnswer', `The ${label} answered ${what}`);
  const items = (parsed as { data?: unknown } | null)?.data;
  if (!Array.isArray(items)) throw bad('without embeddings; check baseUrl');
  if (items.length !== texts.length) throw bad(`with ${items.length} vectors for ${texts.length} texts`);
  const indexes = items.map(indexOf);
  const placed = new Array<unknown>(items.length).fill(undefined);
  if (indexes.every((index) => index === undefined)) {
    for (const [at, item] of items.entries()) placed[at] = embeddingOf(item);
    return placed;
  }
  const seen = new Set<unknown>();
  for (const [at, index] of indexes.entries()) {
    const isPlace = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < items.length;
    if (!isPlace)
      throw bad(`with the index ${shown(index)}, which is not a whole number from 0 to ${items.length - 1}`);
    if (seen.has(index)) throw bad(`with the index ${index} more than once`);
    seen.add(index);
    placed[index] = embeddingOf(items[at]);
  }
  return placed;
}

function indexOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return undefined;
  return (item as { index?: unknown }).index;
}

function embeddingOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return null;
  const { embedding } = item as { embedding?: unknown };
  return typeof embedding === 'string' ? fromBase64(embedding) : (embedding ?? null);
}

/** Decodes little-endian single-precision numbers; null if it is not base64 or not a whole number of them. */
function fromBase64(text: string): Float32Array | null {
  const length = Buffer.byteLength(text, 'base64');
  if (length === 0 || length % 4 !== 0) return null;
  const bytes = Buffer.from(new ArrayBuffer(length));
  // Node skips characters that are not base64, so a shorter result means damaged input.
  if (bytes.write(text, 'base64') !== length) return null;
  if (endianness() === 'BE') bytes.swap32();
  return new Float32Array(bytes.buffer, 0, length / 4);
}

function shown(index: unknown): string {
  return typeof index === 'number' || index === undefined ? String(index) : `of the type ${typeof index}`;
}
