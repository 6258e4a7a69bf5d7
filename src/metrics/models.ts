import type { ModelObserver, ObservedModel } from '../models/observed.ts';
import { bounded, type Metrics } from './metrics.ts';

/** Model names are chosen by those who create indexes: models beyond this number are counted together. */
const MAX_MODELS = 50;

/** Counts the calls of models. `usdOf` returns the price of tokens, if it is known. */
export function observeModels(
  metrics: Metrics,
  usdOf: (model: ObservedModel, tokens: number) => number | undefined = () => undefined,
): ModelObserver {
  const nameOf = bounded(MAX_MODELS);
  const labelsOf = ({ provider, name }: ObservedModel) => ({ provider, model: nameOf(name) });
  return {
    called(model, { outcome, texts, ms, tokens, isEstimated }) {
      const labels = labelsOf(model);
      metrics.modelCalls.inc({ ...labels, outcome });
      metrics.modelCallSeconds.observe(labels, ms / 1_000);
      if (outcome === 'ok') metrics.modelTexts.inc(labels, texts);
      if (tokens > 0) metrics.modelTokens.inc({ ...labels, counted: isEstimated ? 'estimate' : 'provider' }, tokens);
      const usd = usdOf(model, tokens);
      if (usd) metrics.modelUsd.inc(labels, usd);
    },
    waited: (model, waitMs) => metrics.modelWaitSeconds.inc(labelsOf(model), waitMs / 1_000),
  };
}
