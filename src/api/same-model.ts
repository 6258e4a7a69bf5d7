import { invalidField, messageOf, ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import { vectorSpaceOf } from '../contract/vector-space.ts';
import { squaredLength, type Vector } from '../contract/vectors.ts';
import { checkEmbedder } from '../models/check-embedder.ts';
import { textOf } from '../pipeline/text-of.ts';
import type { Db } from '../store/database.ts';
import { readFirstParts } from '../store/object-vectors.ts';
import { sampleObjects } from '../store/sample-objects.ts';
import type { IndexRow } from '../store/schema.ts';
import type { ModelMaker } from './check-model.ts';

/** Max time in which the model must respond at its new address. */
const MODEL_MS = 30_000;
/** What is embedded again. */
const SAMPLE = { objects: 4, partsOfEach: 2 } as const;
/** Text of a search, for a model of its own. */
const PROBE = 'ships';
/** Cosine that vectors of one model and text have, in whatever precision they are stored. */
const MIN_COSINE = 0.995;

export interface SameModelDependencies {
  db: Db;
  models: ModelMaker;
}

/** Whether the calls of a model may get other answers: it has another address, key or model for queries. */
export function isCalledOtherwise(before: ModelConfig, after: ModelConfig): boolean {
  const facts = (model: ModelConfig) => ({ apiKeyEnv: null, queryModel: null, ...model });
  const [left, right] = [facts(before), facts(after)];
  if (left.apiKeyEnv !== right.apiKeyEnv || left.queryModel !== right.queryModel) return true;
  return vectorSpaceOf(before) !== vectorSpaceOf(after);
}

/**
 * Checks that a model answers as it is called now, with the vectors that the index has of some of its texts: a name
 * alone does not tell, since an endpoint decides what it stands for. Errors: `NotCurrent` if it does not answer,
 * `InvalidInput` if its vectors are others.
 */
export async function requireSameModel(
  deps: SameModelDependencies,
  index: IndexRow,
  model: ModelConfig,
): Promise<void> {
  const embedder = deps.models.embedder(model);
  const options = { signal: AbortSignal.timeout(MODEL_MS), maxWaitMs: MODEL_MS };
  const stored = await storedTexts(deps.db, index);
  try {
    await checkEmbedder(embedder, options);
    if ('queryModel' in model) await embedder.embed([PROBE], { ...options, purpose: 'query' });
    for (const { text, vector } of stored) {
      // One text per call: some models accept no more.
      const [answer] = await embedder.embed([text], { ...options, purpose: 'document' });
      if (answer && cosine(answer, vector) >= MIN_COSINE) continue;
      const problem = 'has another model: its vectors differ from those that the index has of the same texts';
      throw invalidField('model', `${problem}; use a reindex with destModel, or set force if you know better`);
    }
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'InvalidInput') throw error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `no answer within ${MODEL_MS / 1_000} s` : messageOf(error);
    const text = `the model does not work with these settings (${why}); set force to store them all the same`;
    throw new ReembedError('NotCurrent', text, { reason: 'model' });
  }
}

/** Returns texts of the index with the vectors that its model has made of them. */
async function storedTexts(db: Db, index: IndexRow): Promise<{ text: string; vector: Vector }[]> {
  const found: { text: string; vector: Vector }[] = [];
  for await (const { id, payload } of sampleObjects(db, index, { seed: 0, max: SAMPLE.objects })) {
    const whole = textOf(payload, index.splitter.fields);
    for (const { start, end, vector } of await readFirstParts(db, index, { id, max: SAMPLE.partsOfEach })) {
      const text = whole.slice(start, end);
      if (text !== '') found.push({ text, vector });
    }
  }
  return found;
}

function cosine(left: Vector, right: Vector): number {
  const length = Math.sqrt(squaredLength(left) * squaredLength(right));
  let dot = 0;
  for (const [at, value] of left.entries()) dot += value * (right[at] ?? 0);
  return length === 0 ? 0 : dot / length;
}
