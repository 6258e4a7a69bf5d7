import type { Embedder } from '../../contract/embedder.ts';
import type { Vector } from '../../contract/vectors.ts';
import type { PrepareOptions } from '../../pipeline/prepare-options.ts';

/** Stops the embedding of texts without an answer. */
class Unanswered extends Error {}

type Find = NonNullable<PrepareOptions['findVectors']>;

/** Options with which no model is called. */
export interface Offline extends Required<Pick<PrepareOptions, 'embedder' | 'concurrency' | 'wait' | 'stillWanted'>> {
  findVectors: Find;
  /** Whether the vector of a text came with the answers. */
  isAnswered(key: string): boolean;
}

/**
 * Creates options for `prepareObjects` with which an object is finished if all its vectors are stored or among the answers,
 * and is dropped otherwise. `onTexts` gets the texts without a vector. For one group of objects at a time.
 */
export function createOffline({
  dimensions,
  answers,
  findStored,
  onTexts,
}: {
  dimensions: number;
  answers: (keys: readonly string[]) => Promise<ReadonlyMap<string, Vector>>;
  findStored: Find | undefined;
  onTexts?: ((texts: readonly string[]) => void) | undefined;
}): Offline {
  let isAsked = false;
  const answered = new Set<string>();
  const embedder: Embedder = {
    dimensions,
    maxTexts: Number.POSITIVE_INFINITY,
    maxChars: Number.POSITIVE_INFINITY,
    async embed(texts) {
      isAsked = true;
      onTexts?.(texts);
      throw new Unanswered('the text has no answer yet');
    },
  };
  return {
    embedder,
    // All texts are asked for in one call, which is the only one.
    concurrency: 1,
    wait: async () => {},
    async stillWanted(ids) {
      const areUnanswered = isAsked;
      isAsked = false;
      return new Set(areUnanswered ? [] : ids);
    },
    async findVectors(asked) {
      const stored = (await findStored?.(asked)) ?? new Map<string, Vector>();
      const found = await answers(asked.keys.filter((key) => !stored.has(key)));
      for (const key of found.keys()) answered.add(key);
      return new Map([...stored, ...found]);
    },
    isAnswered: (key) => answered.has(key),
  };
}
