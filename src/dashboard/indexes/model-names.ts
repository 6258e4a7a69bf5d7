import { presetOf } from '../../contract/model-presets.ts';
import type { ModelInput } from '../../contract/models.ts';

const OPENAI = ['text-embedding-3-small', 'text-embedding-3-large'];

/** Well-known models of each provider; the first one is filled in. */
export const MODEL_NAMES: Partial<Record<ModelInput['provider'], readonly string[]>> = {
  openai: OPENAI,
  azure: OPENAI,
  bedrock: [
    'amazon.titan-embed-text-v2:0',
    'amazon.nova-2-multimodal-embeddings-v1:0',
    'cohere.embed-v4:0',
    'cohere.embed-multilingual-v3',
    'cohere.embed-english-v3',
  ],
  cohere: ['embed-v4.0', 'embed-multilingual-v3.0', 'embed-english-v3.0'],
  google: ['gemini-embedding-001', 'gemini-embedding-2'],
  jina: ['jina-embeddings-v3', 'jina-embeddings-v4', 'jina-embeddings-v2-base-en', 'jina-embeddings-v2-base-de'],
  mistral: ['mistral-embed', 'codestral-embed'],
  ollama: [
    'nomic-embed-text',
    'embeddinggemma',
    'mxbai-embed-large',
    'bge-m3',
    'all-minilm',
    'qwen3-embedding:0.6b',
    'qwen3-embedding:4b',
    'qwen3-embedding:8b',
  ],
  vertex: ['gemini-embedding-001', 'text-embedding-005', 'text-multilingual-embedding-002'],
  voyage: ['voyage-4', 'voyage-4-lite', 'voyage-4-large', 'voyage-3.5', 'voyage-3.5-lite', 'voyage-code-3'],
};

/** Returns the dimensions of a well-known model; undefined for another one. */
export function knownDimensions(provider: string, name: string): number | undefined {
  return provider in MODEL_NAMES ? presetOf(name)?.dimensions : undefined;
}
