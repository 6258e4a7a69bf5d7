import { setTimeout as delay } from 'node:timers/promises';
import type { Embedder, EmbedPurpose } from '../contract/embedder.ts';
import { type ErrorType, ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Search } from '../contract/objects.ts';
import { FLOAT32_MAX, squaredLength, type Vector } from '../contract/vectors.ts';
import type { IndexRow } from '../store/schema.ts';

export interface SearchModels {
  embedder(config: ModelConfig): Embedder;
}

/** Delay before the model is called a second time. */
const GLITCH_MS = 200;
/** Max wait for the rate limits of the model; after it the caller is asked to retry later. */
const MODEL_WAIT_MS = 2_000;

/** What a call of the model can end with. */
export const MODEL_PROBLEMS = [
  'ModelRejectedInput',
  'ModelUnauthorized',
  'ModelRefused',
  'ModelNotFound',
  'ModelQuotaUsedUp',
  'ModelBadAnswer',
  'ModelWrongDimension',
  'ModelSameVector',
  'ModelUnavailable',
  'ModelRateLimited',
] as const satisfies readonly ErrorType[];

/** Embeds the text; returns null if the model knows none of its words. */
export async function embedQuery(
  models: SearchModels,
  index: IndexRow,
  { text = '' }: Pick<Search, 'text'>,
  signal: AbortSignal,
  purpose: EmbedPurpose = 'query',
): Promise<Vector | null> {
  const embedder = models.embedder(index.model);
  if ((await embedder.knows?.([text]))?.[0] === false) return null;
  const ask = () => embedder.embed([text], { purpose, signal, maxWaitMs: MODEL_WAIT_MS });
  const [vector] = await ask().catch(async (error: unknown) => {
    if (!isGlitch(error)) throw error;
    await delay(GLITCH_MS, undefined, { signal });
    return ask();
  });
  if (vector?.length !== index.model.dimensions) {
    const got = `${vector?.length ?? 0} dimensions, ${index.name} has ${index.model.dimensions}`;
    throw new ReembedError('ModelWrongDimension', `the model answers with ${got}`);
  }
  // The caller sent a text and is not responsible for its vector.
  const problem = problemOf(vector, index);
  if (problem) throw badAnswer(problem);
  return vector;
}

/** Creates the error for a vector of the model that cannot be used. */
export function badAnswer(problem: string): ReembedError {
  return new ReembedError('ModelBadAnswer', `the vector that the model gave ${problem}`);
}

/** Most of these errors are gone at a second call; a model that was too slow is not called again. */
function isGlitch(error: unknown): boolean {
  if (!(error instanceof ReembedError) || error.reason === 'timeout') return false;
  return error.type === 'ModelUnavailable' || error.type === 'ModelBadAnswer';
}

/** Returns why distances from a vector are meaningless. */
export function problemOf(vector: Vector, { metric }: IndexRow): string | undefined {
  const squared = squaredLength(vector);
  // Beyond these, distances are infinite or NaN: every object would be as near as any other.
  if (squared > FLOAT32_MAX) return 'has too large numbers';
  if (metric === 'cosine' && Math.fround(squared) === 0) return 'is zero: it has no cosine similarity';
  return undefined;
}
