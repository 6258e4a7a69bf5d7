import type { ModelObserver } from '../models/observed.ts';
import { tellSpan } from './spans.ts';

/** Creates a span for each call of a model, with OpenTelemetry's attribute names for such calls. */
export const traceModels: ModelObserver = {
  called({ provider, name }, { outcome, texts, ms }) {
    tellSpan(`embeddings ${name}`, {
      ms,
      error: outcome === 'ok' ? undefined : outcome,
      attributes: {
        'gen_ai.operation.name': 'embeddings',
        'gen_ai.provider.name': provider,
        'gen_ai.request.model': name,
        'reembed.texts': texts,
      },
    });
  },
  waited: ({ provider, name }, ms) =>
    tellSpan(`wait ${name}`, {
      ms: 0,
      attributes: { 'gen_ai.provider.name': provider, 'gen_ai.request.model': name, 'reembed.wait_ms': ms },
    }),
};
