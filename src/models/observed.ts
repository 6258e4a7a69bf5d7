import { type Embedder, wrapEmbedder } from '../contract/embedder.ts';
import { type ErrorType, ReembedError, TRUNCATED } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import { estimateTokens } from './estimate-tokens.ts';
import { isFree } from './prices.ts';

export type ObservedModel = Pick<ModelConfig, 'provider' | 'name'>;

export interface ModelCallSeen {
  /** `canceled` if the caller no longer wanted it; `truncated` if the model answered without reading all of a text. */
  outcome: 'ok' | 'canceled' | typeof TRUNCATED | ErrorType;
  texts: number;
  ms: number;
  /** 0 if the call failed and the provider does not say. */
  tokens: number;
  isEstimated: boolean;
}

/** Observes calls of models, but never their contents. */
export interface ModelObserver {
  called(model: ObservedModel, call: ModelCallSeen): void;
  /** Called when a call must wait. */
  waited(model: ObservedModel, waitMs: number): void;
}

/** Wraps an embedder to report its calls to an observer. */
export function createObservedEmbedder(embedder: Embedder, model: ObservedModel, observer: ModelObserver): Embedder {
  return wrapEmbedder(embedder, async (texts, options) => {
    const startMs = performance.now();
    let said: number | undefined;
    const onUsage = (tokens: number) => {
      said = (said ?? 0) + tokens;
      options.onUsage?.(tokens);
    };
    const tell = (outcome: ModelCallSeen['outcome']) => {
      const tokens = said ?? (outcome === 'ok' && !isFree(model) ? estimateTokens(texts) : 0);
      const ms = performance.now() - startMs;
      observer.called(model, { outcome, texts: texts.length, ms, tokens, isEstimated: said === undefined });
    };
    try {
      const vectors = await embedder.embed(texts, { ...options, onUsage });
      tell('ok');
      return vectors;
    } catch (error) {
      tell(options.signal?.aborted ? 'canceled' : outcomeOf(error));
      throw error;
    }
  });
}

function outcomeOf(error: unknown): ModelCallSeen['outcome'] {
  if (!(error instanceof ReembedError)) return 'Internal';
  return error.reason === TRUNCATED ? TRUNCATED : error.type;
}
