import pLimit from 'p-limit';
import type { Embedder, EmbedOptions, EmbedPurpose } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Metric } from '../contract/indexes.ts';
import type { Vector } from '../contract/vectors.ts';
import { batchesOf } from './batches.ts';
import { type Failure, failureFrom } from './failure.ts';
import { vectorProblem } from './vectors.ts';

export interface EmbedPartsOptions {
  purpose: EmbedPurpose;
  metric: Metric;
  signal?: AbortSignal;
  /** Calls of the embedder in flight. */
  concurrency?: number;
  /** Of one call; see `EmbedOptions`. */
  maxWaitMs?: number;
}

export interface ObjectTexts {
  id: string;
  parts: readonly { text: string }[];
}

/** The vectors of an object's parts, in order, or why it has none. */
export type EmbeddedObject = { id: string; vectors: Vector[] } | { id: string; failed: Failure };

/** One text on its way: `of` is the object's place in the list, `part` the text's place in the object. */
interface Entry {
  of: number;
  part: number;
  text: string;
}

/**
 * Embeds the parts of several objects together, in calls as large as the embedder takes. Answers in the order of
 * `objects`.
 *
 * A text that the model rejects, or whose vector is unusable, fails its own object and no other. Every other error
 * (rate limit, unavailable, unauthorized, wrong dimension) says nothing about a text: it ends the other calls and
 * rejects, so that the caller's retry policy acts.
 */
export async function embedParts(
  objects: readonly ObjectTexts[],
  embedder: Embedder,
  options: EmbedPartsOptions,
): Promise<EmbeddedObject[]> {
  const vectors = objects.map(({ parts }) => new Array<Vector>(parts.length));
  const failures = new Map<number, Failure>();
  const { purpose, maxWaitMs } = options;
  const stop = new AbortController();
  const cancel = () => stop.abort(options.signal?.reason);

  const embed = async (entries: Entry[]): Promise<void> => {
    stop.signal.throwIfAborted();
    // The rest of an object that has failed already need not be paid for.
    const batch = entries.filter(({ of }) => !failures.has(of));
    if (batch.length === 0) return;
    try {
      keep(batch, await embedBatch(batch, embedder, { purpose, maxWaitMs, signal: stop.signal }));
    } catch (error) {
      if (!(error instanceof ReembedError) || error.type !== 'ModelRejectedInput') throw error;
      if (batch.length === 1 && batch[0]) {
        failures.set(batch[0].of, failureFrom('embed', error));
        return;
      }
      // Both halves are always asked: a rejection may be about the batch as a whole (its tokens together), so that one
      // good half says nothing about the other. One bad text among n costs 1 + 2·ceil(log2 n) calls at most.
      const middle = Math.ceil(batch.length / 2);
      await embed(batch.slice(0, middle));
      await embed(batch.slice(middle));
    }
  };

  const keep = (batch: Entry[], embedded: readonly Vector[]): void => {
    for (const [at, { of, part }] of batch.entries()) {
      const vector = embedded[at] ?? [];
      const problem = vectorProblem(vector, options.metric);
      if (problem) failures.set(of, { stage: 'embed', ...problem });
      const ofObject = vectors[of];
      if (ofObject) ofObject[part] = vector;
    }
  };

  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    const entries = objects.flatMap(({ parts }, of) => parts.map(({ text }, part) => ({ of, part, text })));
    const limit = pLimit(options.concurrency ?? 2);
    const run = async (batch: Entry[]): Promise<void> => {
      // The first error is the one that counts; with it no waiting call begins, and those in flight end.
      await embed(batch).catch((error) => stop.abort(error));
    };
    const runs = batchesOf(entries, embedder).map((batch) => limit(run, batch));
    // All of them: nothing of this goes on once it has been answered.
    await Promise.all(runs);
    stop.signal.throwIfAborted();
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
  return objects.map(({ id }, of) => {
    const failed = failures.get(of);
    return failed ? { id, failed } : { id, vectors: vectors[of] ?? [] };
  });
}

/** One call; checks that there are as many vectors as texts, of the right length, for models given in code. */
async function embedBatch(batch: Entry[], embedder: Embedder, options: EmbedOptions) {
  const texts = batch.map(({ text }) => text);
  const vectors = await embedder.embed(texts, options);
  if (vectors.length !== texts.length) {
    throw new ReembedError('ModelUnavailable', `the model gave ${vectors.length} vectors for ${texts.length} texts`);
  }
  const wrong = vectors.find(({ length }) => length !== embedder.dimensions);
  if (wrong) {
    const message = `the model gave ${wrong.length} dimensions instead of ${embedder.dimensions}`;
    throw new ReembedError('ModelWrongDimension', message);
  }
  return vectors;
}
