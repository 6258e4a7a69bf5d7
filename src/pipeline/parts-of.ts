import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Metadata, Payload } from '../contract/objects.ts';
import { type Cutting, cuttingOf, uncut } from './cut.ts';
import { type Failure, failureFrom } from './failure.ts';
import type { Part } from './split.ts';
import { splitAside } from './split-aside.ts';
import { textOf } from './text-of.ts';

export interface PartsOptions {
  config: IndexConfig;
  embedder: Embedder;
  /** Of the object. */
  metadata?: Metadata | undefined;
  /** The folder with the files of tokenizers. */
  tokenizerDir?: string | null | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Splits one object's text into parts, or returns why the object fails: it has no text, too many parts, or no word that
 * the model knows. Error: `TokenizerMissing`.
 */
export async function partsOf(
  payload: Payload,
  { config, embedder, metadata, tokenizerDir, signal }: PartsOptions,
): Promise<Part[] | { failed: Failure }> {
  const { fields } = config.splitter;
  const maxParts = maxPartsOf(config);
  try {
    const parts = await splitAside(
      textOf(payload, fields),
      cuttingOf(config, tokenizerDir, metadata),
      maxParts,
      signal,
    );
    if (parts.length === 0) {
      const where = fields && typeof payload !== 'string' ? ` in the fields ${fields.join(', ')}` : '';
      return { failed: { stage: 'split', reason: 'EmptyText', detail: `the payload has no text${where}` } };
    }
    // A part without known words does not affect the others.
    const known = await embedder.knows?.(parts.map(({ text }) => text));
    if (!known?.every((one) => !one)) return parts;
    const detail = `the model ${config.model.name} knows no word of the text`;
    return { failed: { stage: 'embed', reason: 'NoKnownWords', detail } };
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'TooLarge') return { failed: failureFrom('split', error) };
    throw error;
  }
}

/** Returns the part of a short text that stays whole; undefined for others. */
export function onlyPart(text: string, cutting: Cutting): Part | undefined {
  const range = uncut(text, cutting);
  return range && { part: 0, start: range.start, end: range.end, text: text.slice(range.start, range.end) };
}

/** Returns the max parts of one object: fewer if vectors are long, since all of them are in memory at the same time. */
function maxPartsOf({ model: { dimensions } }: IndexConfig): number {
  return Math.min(LIMITS.partsPerObject, Math.floor(LIMITS.vectorNumbersPerObject / dimensions));
}
