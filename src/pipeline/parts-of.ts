import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Metadata, Payload } from '../contract/objects.ts';
import { type Cutting, cuttingsOf, uncut } from './cut.ts';
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

type Split = Part[] | { failed: Failure };

/**
 * Creates a function that splits the text of an index's object into parts, or returns why the object fails: it has no
 * text, too many parts, or no word that the model knows. A short text is split without a promise, which would cost more
 * than the work. Error: `TokenizerMissing`.
 */
export function partsMaker(
  options: Omit<PartsOptions, 'metadata'>,
): (payload: Payload, metadata?: Metadata) => Split | Promise<Split> {
  const { config, embedder, tokenizerDir } = options;
  const cuttingFor = cuttingsOf(config, tokenizerDir);
  return (payload, metadata) => {
    const text = textOf(payload, config.splitter.fields);
    const cutting = cuttingFor(metadata);
    const range = embedder.knows ? undefined : uncut(text, cutting);
    if (range) return [{ part: 0, ...range, text: text.slice(range.start, range.end) }];
    return splitLong(payload, text, cutting, options);
  };
}

/** Splits the text of one object, as `partsMaker` does. */
export async function partsOf(payload: Payload, { metadata, ...options }: PartsOptions): Promise<Split> {
  return partsMaker(options)(payload, metadata);
}

async function splitLong(
  payload: Payload,
  text: string,
  cutting: Cutting,
  { config, embedder, signal }: PartsOptions,
): Promise<Split> {
  try {
    const parts = await splitAside(text, cutting, maxPartsOf(config), signal);
    if (parts.length === 0) {
      const { fields } = config.splitter;
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

/** Returns the max parts of one object: fewer if vectors are long, since all of them are in memory at the same time. */
function maxPartsOf({ model: { dimensions } }: IndexConfig): number {
  return Math.min(LIMITS.partsPerObject, Math.floor(LIMITS.vectorNumbersPerObject / dimensions));
}
