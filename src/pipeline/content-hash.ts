import { hash } from 'node:crypto';
import type { IndexConfig } from '../contract/indexes.ts';
import { canonicalJson } from '../contract/json.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Payload } from '../contract/objects.ts';

/** Raise it when the same payload and settings give other texts or vectors than before: then all is embedded anew. */
const PIPELINE_VERSION = 1;

/**
 * For payloads of an index, SHA-256 (base64url, 43 characters) of all that decides about an object's vectors: its payload
 * after loading, and of the index the splitter, the average and the model. The same for every order of keys.
 */
export function contentHasher(config: IndexConfig): (payload: Payload) => string {
  const { splitter, average, metric } = config;
  const left = canonicalJson({
    // Only an average depends on the metric: it has length 1 for cosine.
    average: average ? (metric === 'cosine' ? 'normalized' : 'mean') : 'none',
    model: decisiveOf(config.model),
  });
  const right = canonicalJson({ splitter, version: PIPELINE_VERSION });
  // Keys are sorted, and `payload` is between these.
  const [before, after] = [`${left.slice(0, -1)},"payload":`, `,${right.slice(1)}`];
  return (payload) => hash('sha256', before + canonicalJson(payload) + after, 'base64url');
}

/**
 * The fields of a model that change the vectors of documents. `baseUrl` is one: what a name means is up to the endpoint
 * (an Azure deployment has any name, an Ollama tag any quantization), and an object embedded once too often is right,
 * one kept with another model's vector is wrong. Key, time and batch limits, and the prefix of queries are not.
 */
function decisiveOf(model: ModelConfig): Record<string, unknown> {
  const { provider, name, dimensions } = model;
  if (model.provider !== 'openai') return { provider, name, dimensions };
  const { baseUrl, sendDimensions, documentPrefix = '' } = model;
  return { provider, name, dimensions, baseUrl, sendDimensions, documentPrefix };
}
