import type { Embedder } from '../contract/embedder.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import type { Vector } from '../contract/vectors.ts';
import { Pace } from '../cpu/pace.ts';
import type { Loader } from './load.ts';
import type { Sleep } from './load-with-retries.ts';

export interface PrepareOptions {
  config: IndexConfig;
  embedder: Embedder;
  /** The folder with the files of tokenizers. */
  tokenizerDir?: string | null | undefined;
  loader: Loader;
  signal?: AbortSignal;
  /** Returns the hashes of the objects that the index holds with vectors (not failed or deleted ones), by id. */
  known?: (ids: string[]) => Promise<ReadonlyMap<string, string>>;
  /** Returns stored vectors of these texts, by their keys; see `textKeysOf`. Called once for each group of objects. */
  findVectors?: (asked: AskedVectors) => Promise<ReadonlyMap<string, Vector>>;
  /** Max attempts of one load. */
  loadAttempts?: number;
  /** Max calls of the embedder in flight. */
  concurrency?: number;
  /** While the model is asked for the rest, what is finished is yielded this often. Default: only when it stops. */
  yieldEveryMs?: number | undefined;
  sleep?: Sleep | undefined;
  /** Per call of the embedder; see `EmbedOptions`. */
  maxWaitMs?: number | undefined;
  /** Waits between the calls that find out why a call failed. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /**
   * Called when the model stops the work: waits until it can continue, or throws. `hasProgressed` is true if anything
   * was finished since the last call.
   */
  wait?: (error: unknown, hasProgressed: boolean) => Promise<void>;
  /**
   * Called with the remaining ids, after each wait and at most every second between calls; returns those still to be
   * embedded.
   */
  stillWanted?: (ids: string[]) => Promise<ReadonlySet<string>>;
  /** False if the items may have waited before; `stillWanted` is then also called before the first call. */
  areFresh?: boolean;
}

/** Texts to embed, and the objects whose stored parts may have their vectors. */
interface AskedVectors {
  ids: readonly string[];
  keys: readonly string[];
}

/** Returns the stored vectors of the texts, by text. */
export async function findKnown(
  objects: readonly { id: string; parts: readonly { text: string }[] }[],
  textKeyOf: (text: string) => string,
  { findVectors }: PrepareOptions,
): Promise<Map<string, Vector> | undefined> {
  if (findVectors === undefined || objects.length === 0) return undefined;
  const pace = new Pace();
  const textOfKey = new Map<string, string>();
  for (const { parts } of objects) {
    for (const { text } of parts) textOfKey.set(textKeyOf(text), text);
    if (pace.isDue) await pace.breathe();
  }
  const found = await findVectors({ ids: objects.map(({ id }) => id), keys: [...textOfKey.keys()] });
  return new Map([...found].map(([key, vector]) => [textOfKey.get(key) as string, vector]));
}
