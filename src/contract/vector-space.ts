import { canonicalJson } from './canonical-json.ts';
import type { ModelConfig } from './models.ts';

/**
 * Returns the fields of a model that affect the vectors of documents. `baseUrl` is one of them, because the meaning of
 * a name is up to the endpoint (an Azure deployment has any name, an Ollama tag any quantization): embedding an object
 * once too often is correct, keeping another model's vector is wrong. Key, time and batch limits, and the prefix of
 * queries do not matter.
 */
export function decisiveOf(model: ModelConfig): Record<string, unknown> {
  const { provider, name, dimensions } = model;
  if (provider === 'hash' || provider === 'words' || provider === 'local' || provider === 'custom')
    return { provider, name, dimensions };
  const { apiKeyEnv, batchSize, batchChars, queryPrefix, queryModel, timeoutMs, windowTokens, ...decisive } = {
    apiKeyEnv: undefined,
    ...model,
  };
  return { ...decisive, documentPrefix: decisive.documentPrefix ?? '' };
}

/** Names the space of a model's vectors: vectors of two models can be compared if it is the same text. */
export function vectorSpaceOf(model: ModelConfig): string {
  return canonicalJson(decisiveOf(model));
}
