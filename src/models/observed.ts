import { type Embedder, wrapEmbedder } from '../contract/embedder.ts';
import { type ErrorType, ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';

export type ObservedModel = Pick<ModelConfig, 'provider' | 'name'>;

export interface ModelCallSeen {
  /** `canceled` when the caller no longer wanted it. */
  outcome: 'ok' | 'canceled' | ErrorType;
  texts: number;
  ms: number;
}

/** Is told of calls of models, never of what is in them. */
export interface ModelObserver {
  called(model: ObservedModel, call: ModelCallSeen): void;
  /** A call was held back for so long. */
  waited(model: ObservedModel, waitMs: number): void;
}

/** The same embedder, whose calls are told of. */
export function createObservedEmbedder(embedder: Embedder, model: ObservedModel, observer: ModelObserver): Embedder {
  return wrapEmbedder(embedder, async (texts, options) => {
    const startMs = performance.now();
    const tell = (outcome: ModelCallSeen['outcome']) =>
      observer.called(model, { outcome, texts: texts.length, ms: performance.now() - startMs });
    try {
      const vectors = await embedder.embed(texts, options);
      tell('ok');
      return vectors;
    } catch (error) {
      tell(options.signal?.aborted ? 'canceled' : error instanceof ReembedError ? error.type : 'Internal');
      throw error;
    }
  });
}
