import type { EmbeddingModel } from 'ai';
import type { Embedder, EmbedOptions } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import { callModel } from './call-model.ts';
import { checkVectors } from './check-vectors.ts';
import { requireWhole } from './cut-texts.ts';
import { toModelError } from './model-errors.ts';

/** An embedding model object of the AI SDK, in either version. A plain name would need the SDK's global gateway. */
export type SdkEmbeddingModel = Exclude<EmbeddingModel, string>;

/** A model that a program can register under a name: an embedding model of the AI SDK, or its own embedder. */
export type CustomModel = SdkEmbeddingModel | Embedder;

const DEFAULT_TEXTS = 96;
const MAX_TEXTS = 2048;
const MAX_CHARS = 200_000;

/**
 * Wraps a registered model in the `Embedder` interface, with the same checks and errors as the built-in ones. Throws
 * `ModelWrongDimension` immediately if an `Embedder` has other dimensions than configured.
 */
export function createCustomEmbedder(name: string, dimensions: number, model: CustomModel): Embedder {
  const label = `custom model "${name}"`;
  return 'doEmbed' in model ? fromSdk(model, label, dimensions) : fromEmbedder(model, label, dimensions);
}

/**
 * Calls `doEmbed` instead of the SDK's `embedMany`, which logs to the console and retries; retries are up to the
 * caller.
 */
function fromSdk(model: SdkEmbeddingModel, label: string, dimensions: number): Embedder {
  const most = model.maxEmbeddingsPerCall;
  return {
    dimensions,
    // If the limit is a promise, it cannot be awaited here; `embed` then applies it.
    maxTexts: typeof most === 'number' ? Math.min(most, MAX_TEXTS) : DEFAULT_TEXTS,
    maxChars: MAX_CHARS,
    async embed(
      texts: readonly string[],
      { signal, onUsage, purpose, areCounted = false }: EmbedOptions,
    ): Promise<Vector[]> {
      const request = async (values: string[], abortSignal: AbortSignal) => {
        const { embeddings, usage } = await model.doEmbed({ values, abortSignal });
        const tokens = usage && Number.isSafeInteger(usage.tokens) && usage.tokens > 0 ? usage.tokens : undefined;
        if (tokens !== undefined) onUsage?.(tokens);
        const areWhole = purpose === 'query';
        await requireWhole({ texts: values, tokens, window: undefined, areCounted, areWhole }, label);
        return embeddings;
      };
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
    ...(embedder.countTokens && { countTokens: embedder.countTokens.bind(embedder) }),
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
