import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { eachInTurn } from '../cpu/pace.ts';
import { contentHasher, haveSameText } from '../pipeline/content-hash.ts';
import { counterOf, cuttingOf } from '../pipeline/cut.ts';
import { partsOf } from '../pipeline/parts-of.ts';
import { mayTakeOver } from '../pipeline/take-over.ts';
import { textKeysOf } from '../pipeline/text-key.ts';
import type { Db } from '../store/database.ts';
import type { PlannedObject } from '../store/plan/sample.ts';
import { sampleForPlan } from '../store/plan/sample.ts';
import type { CheckedPair } from '../store/protocol/check-pair.ts';
import { findStoredKeys } from '../store/stored-vectors.ts';

/** A text to embed. */
export interface SampledText {
  id: string;
  /** With the prefix that the model adds. */
  chars: number;
  /** By the model's tokenizer; null without one. */
  tokens: number | null;
}

export interface Sample {
  /** All sampled objects, also those with nothing to copy. */
  objects: number;
  /** Bytes of their payloads, and milliseconds that it took. */
  bytes: number;
  ms: number;
  isWhole: boolean;
  /** Parts of these objects in the source. */
  sourceParts: number;
  /** The objects to copy, each with its texts to embed: none if it is reused or cannot be embedded. */
  copies: SampledText[][];
  /** Mean weight of an object to copy. */
  meanWeight: number;
  reused: number;
  /** Texts whose stored vectors are taken over, and objects of which these are all texts; not among the copies. */
  takenOver: { texts: number; objects: number };
  failing: number;
  /** Reasons of the failing ones. */
  failures: Map<string, number>;
  /** Objects without a payload, which a reindex would load again. */
  unread: number;
  /** UTF-8 bytes of all texts. */
  textBytes: number;
  /** Milliseconds of hashing and splitting the copied objects. */
  prepareMs: number;
  /** Some texts, for the probe. */
  texts: string[];
}

export const SAMPLE = { seed: 1, maxBytes: 16 * 1024 * 1024, withinMs: 10_000 } as const;
/** Max characters of the texts that are kept. */
const KEPT_CHARS = 500_000;

export interface SampleOptions {
  embedder: Embedder;
  tokenizerDir: string | null;
  maxObjects: number;
  /** Stored vectors are taken over. */
  reuse: boolean;
  signal: AbortSignal;
}

/** Reads some objects of the source, and finds out what a reindex would do with them. Error: `IndexNotFound`. */
export async function takeSample(db: Db, pair: CheckedPair, options: SampleOptions): Promise<Sample> {
  const startMs = performance.now();
  const taker = new Taker(pair, { ...options, db });
  const objects = sampleForPlan(db, pair.source, pair.dest?.no ?? null, {
    ...SAMPLE,
    maxObjects: options.maxObjects,
  });
  for (let next = await objects.next(); ; next = await objects.next()) {
    options.signal.throwIfAborted();
    if (next.done) return taker.end(next.value.isWhole, performance.now() - startMs);
    await taker.add(next.value);
  }
}

class Taker {
  private readonly pair: CheckedPair;
  private readonly options: SampleOptions & { db: Db };
  private readonly hashOf: ReturnType<typeof contentHasher>;
  private readonly textKeyOf: (text: string) => string;
  private readonly prefixChars: number;
  private keptChars = 0;
  private weight = 0;
  private readonly sample: Omit<Sample, 'isWhole' | 'ms' | 'meanWeight'> = {
    objects: 0,
    bytes: 0,
    sourceParts: 0,
    copies: [],
    reused: 0,
    takenOver: { texts: 0, objects: 0 },
    failing: 0,
    failures: new Map(),
    unread: 0,
    textBytes: 0,
    prepareMs: 0,
    texts: [],
  };

  constructor(pair: CheckedPair, options: SampleOptions & { db: Db }) {
    const { model } = pair.config;
    this.pair = pair;
    this.options = options;
    this.hashOf = contentHasher(pair.config);
    this.textKeyOf = textKeysOf(model);
    this.prefixChars = 'documentPrefix' in model ? (model.documentPrefix?.length ?? 0) : 0;
  }

  async add(object: PlannedObject): Promise<void> {
    const { sample } = this;
    sample.objects++;
    sample.bytes += object.bytes;
    sample.sourceParts += object.parts;
    if (!object.behind) return;
    this.weight += object.weight;
    sample.copies.push(await this.textsOf(object));
  }

  private async textsOf({ id, payload, metadata, destHash }: PlannedObject): Promise<SampledText[]> {
    const { sample, pair } = this;
    const { embedder, signal, tokenizerDir } = this.options;
    if (payload === null) {
      sample.unread++;
      return [];
    }
    const startMs = performance.now();
    const hash = await this.hashOf(payload, { metadata });
    if (destHash !== null && haveSameText(destHash, hash)) {
      sample.reused++;
      return [];
    }
    const parts = await partsOf(payload, { config: pair.config, embedder, metadata, tokenizerDir, signal });
    sample.prepareMs += performance.now() - startMs;
    if ('failed' in parts) {
      sample.failing++;
      sample.failures.set(parts.failed.reason, (sample.failures.get(parts.failed.reason) ?? 0) + 1);
      return [];
    }
    const texts = await this.withoutStored(
      id,
      parts.map(({ text }) => text),
      destHash !== null,
    );
    const tokens = (await embedder.countTokens?.(texts)) ?? (await this.countTokens(texts));
    for (const text of texts) this.keep(text);
    return texts.map((text, at) => ({
      id,
      chars: text.length + this.prefixChars,
      tokens: tokens?.[at] ?? null,
    }));
  }

  /** Returns the texts whose vectors are not stored yet. */
  private async withoutStored(id: string, texts: readonly string[], isInDest: boolean): Promise<string[]> {
    const { sample, pair } = this;
    const places = [
      ...(isInDest && pair.dest ? [pair.dest] : []),
      ...(mayTakeOver(pair.source, pair.config) ? [pair.source] : []),
    ];
    if (!this.options.reuse || places.length === 0) return [...texts];
    const keys = texts.map(this.textKeyOf);
    const stored = new Set<string>();
    for (const { no } of places)
      for (const key of await findStoredKeys(this.options.db, no, { ids: [id], keys })) stored.add(key);
    const left = texts.filter((_, at) => !stored.has(keys[at] as string));
    sample.takenOver.texts += texts.length - left.length;
    if (left.length === 0) sample.takenOver.objects++;
    return left;
  }

  /** Counts by the tokenizer of the index, if it is the model's own. */
  private async countTokens(texts: readonly string[]): Promise<number[] | undefined> {
    const cutting = cuttingOf(this.pair.config, this.options.tokenizerDir);
    if (cutting.tokenizer === undefined) return undefined;
    const { isExact, countWhole } = await counterOf(cutting);
    return isExact ? eachInTurn(texts, countWhole, this.options.signal) : undefined;
  }

  private keep(text: string): void {
    const { sample } = this;
    sample.textBytes += Buffer.byteLength(text) + this.prefixChars;
    if (this.keptChars + text.length > KEPT_CHARS) return;
    this.keptChars += text.length;
    sample.texts.push(text);
  }

  end(isWhole: boolean, ms: number): Sample {
    const { sample } = this;
    return { ...sample, isWhole, ms, meanWeight: this.weight / Math.max(1, sample.copies.length) };
  }
}

/** Whether source and destination cut texts into the same parts. */
export function haveSameSplitter({ source, config }: CheckedPair): boolean {
  const keyOf = ({ splitter, model }: Pick<IndexConfig, 'splitter' | 'model'>) =>
    JSON.stringify([cuttingOf({ splitter, model }), splitter.fields ?? null, splitter.formatField ?? null]);
  return keyOf(source) === keyOf(config);
}

/** Returns the error of an embedder that cannot be created, as one of the caller's field. */
export function asFieldError(error: unknown, field: string): unknown {
  if (!(error instanceof ReembedError)) return error;
  const issues = [{ path: field, message: error.message }];
  return new ReembedError('InvalidInput', `${field}: ${error.message}`, { issues, cause: error });
}
