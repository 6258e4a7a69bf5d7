import type { EmbeddingModel } from 'ai';
import type { Embedder, EmbedOptions } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { callModel } from './call-model.ts';
import { checkVectors } from './check-vectors.ts';
import { toModelError } from './model-errors.ts';

/** An embedding model object of the AI SDK, of either version it accepts. A bare name would need its global gateway. */
export type SdkEmbeddingModel = Exclude<EmbeddingModel, string>;

/** What a program may register under a name: an embedding model of the AI SDK, or an embedder of its own. */
export type CustomModel = SdkEmbeddingModel | Embedder;

const DEFAULT_TEXTS = 96;
const MOST_TEXTS = 2048;
const MAX_CHARS = 200_000;

/**
 * A registered model behind the one interface, with the same checks and errors as the built-in ones. Throws
 * `ModelWrongDimension` at once when an `Embedder` has other dimensions than configured.
 */
export function createCustomEmbedder(name: string, dimensions: number, model: CustomModel): Embedder {
  const label = `custom model "${name}"`;
  return 'doEmbed' in model ? fromSdk(model, label, dimensions) : fromEmbedder(model, label, dimensions);
}

/**
 * Calls `doEmbed` and not the SDK's `embedMany`: that one retries, which is the caller's, and logs to the console.
 */
function fromSdk(model: SdkEmbeddingModel, label: string, dimensions: number): Embedder {
  const most = model.maxEmbeddingsPerCall;
  const request = async (values: string[], abortSignal: AbortSignal) =>
    (await model.doEmbed({ values, abortSignal })).embeddings;
  return {
    dimensions,
    // A promise of a limit cannot be awaited here; `embed` then keeps to it by itself.
    maxTexts: typeof most === 'number' ? Math.min(most, MOST_TEXTS) : DEFAULT_TEXTS,
    maxChars: MAX_CHARS,
    async embed(texts: readonly string[], { signal }: EmbedOptions): Promise<Vector[]> {
      const perCall = Math.max(1, (await model.maxEmbeddingsPerCall) ?? texts.length);
      const vectors: Vector[] = [];
      for (let at = 0; at < texts.length; at += perCall) {
        const part = texts.slice(at, at + perCall);
        vectors.push(...(await callModel({ request, label, dimensions, texts: part, signal })));
      }
      return vectors;
    },
  };
}

function fromEmbedder(embedder: Embedder, label: string, dimensions: number): Embedder {
  if (embedder.dimensions !== dimensions) {
    const message = `The ${label} has ${embedder.dimensions} dimensions, but is configured with ${dimensions}`;
    throw new ReembedError('ModelWrongDimension', message);
  }
  return {
    dimensions,
    maxTexts: embedder.maxTexts,
    maxChars: embedder.maxChars,
    async embed(texts: readonly string[], options: EmbedOptions): Promise<Vector[]> {
      try {
        const answer: unknown = await embedder.embed(texts, options);
        return checkVectors(Array.isArray(answer) ? answer : [], { texts, dimensions, label });
      } catch (error) {
        options.signal?.throwIfAborted();
        throw toModelError(error, { label, texts });
      }
    },
  };
}
