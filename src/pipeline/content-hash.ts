import { hash } from 'node:crypto';
import type { IndexConfig } from '../contract/indexes.ts';
import { canonicalJson } from '../contract/json.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Payload } from '../contract/objects.ts';
import { textOf } from './text-of.ts';

/** Raise it when the same payload and settings give other texts or vectors than before: then all is embedded anew. */
const PIPELINE_VERSION = 2;
/** Between the hash of what is embedded and that of the payload. */
const MARK = '.';

/**
 * For payloads of an index, two SHA-256 (base64url, 43 characters) with a dot between them. The first is that of all that
 * decides about an object's vectors: its text, and of the index the splitter, the average and the model. The second is
 * that of the payload after loading, the same for every order of keys.
 */
export function contentHasher(config: IndexConfig): (payload: Payload) => string {
  const { splitter, average, metric } = config;
  const left = canonicalJson({
    // Only an average depends on the metric: it has length 1 for cosine.
    average: average ? (metric === 'cosine' ? 'normalized' : 'mean') : 'none',
    model: decisiveOf(config.model),
  });
  const right = canonicalJson({ splitter, version: PIPELINE_VERSION });
  const [before, after] = [`${left.slice(0, -1)},"text":`, `,${right.slice(1)}`];
  const shaOf = (text: string) => hash('sha256', text, 'base64url');
  return (payload) => {
    const text = JSON.stringify(textOf(payload, splitter.fields));
    return shaOf(before + text + after) + MARK + shaOf(canonicalJson(payload));
  };
}

/** Whether the vectors are right for both, though another field of the payload may differ. */
export function haveSameText(left: string, right: string): boolean {
  const end = left.indexOf(MARK) + 1;
  return end > 0 && left.slice(0, end) === right.slice(0, end);
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
