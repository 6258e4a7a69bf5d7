/** Known properties of a model, independent of its provider. Each row names its source. */
export interface ModelPreset {
  /** In lower case, without the vendor before a slash; a tag of Ollama counts if it is given here. */
  names: readonly string[];
  source: string;
  dimensions: number;
  windowTokens: number;
  /** The provider can be asked for fewer dimensions, or for some models more. */
  canShorten?: boolean;
  queryPrefix?: string;
  documentPrefix?: string;
  /** The model has no parameter that tells queries from documents. */
  sendRole?: false;
  /** Shortened vectors do not have length 1. */
  normalize?: true;
  /** Models of one family have vectors in one space. */
  family?: string;
  /** When the provider turns it off or has turned it off, and what replaces it. */
  shutdown?: { on: string; use: string };
}

const HF = 'https://huggingface.co';
const RETRIEVAL = 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:';
const BGE_QUERY = 'Represent this sentence for searching relevant passages: ';
const E5 = { queryPrefix: 'query: ', documentPrefix: 'passage: ', windowTokens: 512 };
const NOMIC = { queryPrefix: 'search_query: ', documentPrefix: 'search_document: ', dimensions: 768 };
const GEMMA = { queryPrefix: 'task: search result | query: ', documentPrefix: 'title: none | text: ' };

const OPENAI = 'https://platform.openai.com/docs/guides/embeddings';
const openai: ModelPreset[] = [
  row(OPENAI, 1_536, 8_191, ['text-embedding-3-small'], { canShorten: true }),
  row(OPENAI, 3_072, 8_191, ['text-embedding-3-large'], { canShorten: true }),
  row(OPENAI, 1_536, 8_191, ['text-embedding-ada-002']),
];

const COHERE = 'https://docs.cohere.com/docs/models#embed';
const cohere: ModelPreset[] = [
  row(COHERE, 1_536, 128_000, ['embed-v4.0', 'cohere.embed-v4:0'], { canShorten: true }),
  row(COHERE, 1_024, 512, ['embed-english-v3.0', 'cohere.embed-english-v3']),
  row(COHERE, 1_024, 512, ['embed-multilingual-v3.0', 'cohere.embed-multilingual-v3']),
  row(COHERE, 384, 512, ['embed-english-light-v3.0', 'embed-multilingual-light-v3.0']),
];

const VOYAGE = 'https://docs.voyageai.com/docs/embeddings';
const voyage: ModelPreset[] = [
  row(VOYAGE, 1_024, 32_000, ['voyage-4-large', 'voyage-4', 'voyage-4-lite'], { canShorten: true, family: 'voyage-4' }),
  row(VOYAGE, 1_024, 32_000, ['voyage-3-large', 'voyage-3.5', 'voyage-3.5-lite', 'voyage-code-3'], {
    canShorten: true,
  }),
  row(VOYAGE, 1_024, 32_000, ['voyage-3', 'voyage-finance-2']),
  row(VOYAGE, 512, 32_000, ['voyage-3-lite']),
  row(VOYAGE, 1_024, 16_000, ['voyage-law-2']),
];

const GEMINI = 'https://ai.google.dev/gemini-api/docs/embeddings';
const GEMINI_END = 'https://ai.google.dev/gemini-api/docs/deprecations';
const VERTEX = 'https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings';
const google: ModelPreset[] = [
  row(GEMINI, 3_072, 2_048, ['gemini-embedding-001'], { canShorten: true, normalize: true }),
  row(GEMINI, 3_072, 8_192, ['gemini-embedding-2', 'gemini-embedding-2-preview'], {
    ...{ canShorten: true, sendRole: false as const },
    ...GEMMA,
  }),
  row(GEMINI_END, 768, 2_048, ['text-embedding-004'], ended('2026-01-14', 'gemini-embedding-001')),
  row(GEMINI_END, 768, 2_048, ['embedding-001'], ended('2025-10-30', 'gemini-embedding-001')),
  row(GEMINI_END, 3_072, 8_192, ['gemini-embedding-exp-03-07'], ended('2025-10-30', 'gemini-embedding-001')),
  row(VERTEX, 768, 2_048, ['text-embedding-005', 'text-multilingual-embedding-002'], { canShorten: true }),
  row(`${HF}/google/embeddinggemma-300m`, 768, 2_048, ['embeddinggemma', 'embeddinggemma-300m'], GEMMA),
];

const TITAN = 'https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html';
const NOVA = 'https://docs.aws.amazon.com/nova/latest/userguide/nova-embeddings.html';
const amazon: ModelPreset[] = [
  row(TITAN, 1_024, 8_192, ['amazon.titan-embed-text-v2:0'], { canShorten: true }),
  row(TITAN, 1_536, 8_192, ['amazon.titan-embed-text-v1']),
  row(NOVA, 1_024, 8_192, ['amazon.nova-2-multimodal-embeddings-v1:0'], { canShorten: true }),
];

const MISTRAL = 'https://docs.mistral.ai/capabilities/embeddings/text_embeddings';
const JINA = 'https://jina.ai/embeddings';
const others: ModelPreset[] = [
  row(MISTRAL, 1_024, 8_192, ['mistral-embed', 'mistral-embed-2312']),
  row(MISTRAL, 1_536, 8_192, ['codestral-embed', 'codestral-embed-2505'], { canShorten: true }),
  row(JINA, 1_024, 8_192, ['jina-embeddings-v3'], { canShorten: true }),
  row(JINA, 2_048, 32_768, ['jina-embeddings-v4'], { canShorten: true }),
  row(JINA, 768, 8_192, ['jina-embeddings-v2-base-en', 'jina-embeddings-v2-base-de'], { sendRole: false }),
];

const open: ModelPreset[] = [
  row(`${HF}/intfloat/multilingual-e5-large`, 1_024, 512, ['multilingual-e5-large', 'e5-large-v2'], E5),
  row(`${HF}/intfloat/multilingual-e5-base`, 768, 512, ['multilingual-e5-base', 'e5-base-v2'], E5),
  row(`${HF}/intfloat/multilingual-e5-small`, 384, 512, ['multilingual-e5-small', 'e5-small-v2'], E5),
  row(`${HF}/intfloat/multilingual-e5-large-instruct`, 1_024, 512, ['multilingual-e5-large-instruct'], {
    queryPrefix: `${RETRIEVAL} `,
  }),
  row(`${HF}/BAAI/bge-m3`, 1_024, 8_192, ['bge-m3']),
  row(`${HF}/BAAI/bge-large-en-v1.5`, 1_024, 512, ['bge-large-en-v1.5'], { queryPrefix: BGE_QUERY }),
  row(`${HF}/BAAI/bge-base-en-v1.5`, 768, 512, ['bge-base-en-v1.5'], { queryPrefix: BGE_QUERY }),
  row(`${HF}/BAAI/bge-small-en-v1.5`, 384, 512, ['bge-small-en-v1.5'], { queryPrefix: BGE_QUERY }),
  row(`${HF}/Alibaba-NLP/gte-large-en-v1.5`, 1_024, 8_192, ['gte-large-en-v1.5']),
  row(`${HF}/Alibaba-NLP/gte-multilingual-base`, 768, 8_192, ['gte-base-en-v1.5', 'gte-multilingual-base']),
  row(`${HF}/Alibaba-NLP/gte-modernbert-base`, 768, 8_192, ['gte-modernbert-base']),
  row(`${HF}/nomic-ai/nomic-embed-text-v1.5`, 768, 8_192, ['nomic-embed-text-v1.5'], { ...NOMIC, canShorten: true }),
  // https://ollama.com/library/nomic-embed-text: its context there.
  row('https://ollama.com/library/nomic-embed-text', 768, 2_048, ['nomic-embed-text'], NOMIC),
  row(`${HF}/nomic-ai/nomic-embed-text-v2-moe`, 768, 512, ['nomic-embed-text-v2-moe'], NOMIC),
  row(`${HF}/Qwen/Qwen3-Embedding-0.6B`, 1_024, 32_768, ['qwen3-embedding-0.6b', 'qwen3-embedding:0.6b'], qwen3()),
  row(`${HF}/Qwen/Qwen3-Embedding-4B`, 2_560, 32_768, ['qwen3-embedding-4b', 'qwen3-embedding:4b'], qwen3()),
  row(`${HF}/Qwen/Qwen3-Embedding-8B`, 4_096, 32_768, ['qwen3-embedding-8b', 'qwen3-embedding:8b'], qwen3()),
  row(`${HF}/mixedbread-ai/mxbai-embed-large-v1`, 1_024, 512, ['mxbai-embed-large-v1', 'mxbai-embed-large'], {
    ...{ queryPrefix: BGE_QUERY, canShorten: true },
  }),
  row(`${HF}/Snowflake/snowflake-arctic-embed-l-v2.0`, 1_024, 8_192, ['snowflake-arctic-embed-l-v2.0'], {
    queryPrefix: 'query: ',
  }),
  row(`${HF}/sentence-transformers/all-MiniLM-L6-v2`, 384, 256, ['all-minilm-l6-v2', 'all-minilm']),
];

/** Well-known models. A change here does not change existing indexes: their configuration is complete. */
export const MODEL_PRESETS: readonly ModelPreset[] = [...[openai, cohere, voyage, google, amazon, others, open].flat()];

const BY_NAME = new Map(MODEL_PRESETS.flatMap((preset) => preset.names.map((name) => [name, preset])));

/**
 * Returns what is known of a model. The vendor before a name (`BAAI/bge-m3`), the geography of Bedrock before it
 * (`eu.amazon.titan-…`) and the tag of Ollama after it are ignored.
 */
export function presetOf(name: string): ModelPreset | undefined {
  const plain = name
    .slice(name.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/^(?:us|eu|apac|global)\.(?=amazon\.|cohere\.)/, '');
  return BY_NAME.get(plain) ?? BY_NAME.get(plain.split(':')[0] ?? '');
}

/** Returns what users should know if a provider turns a model off: at most one sentence. */
export function shutdownWarnings({ provider, name }: { provider: string; name: string }): string[] {
  const known = ['hash', 'words', 'local', 'custom'].includes(provider) ? undefined : presetOf(name);
  if (known?.shutdown === undefined) return [];
  const { on, use } = known.shutdown;
  return [`the provider turns the model ${name} off on ${on}: use ${use} (${known.source})`];
}

function row(
  source: string,
  dimensions: number,
  windowTokens: number,
  names: readonly string[],
  more: Partial<ModelPreset> = {},
): ModelPreset {
  return { names, source, dimensions, windowTokens, ...more };
}

function ended(on: string, use: string): Partial<ModelPreset> {
  return { shutdown: { on, use } };
}

function qwen3(): Partial<ModelPreset> {
  return { queryPrefix: RETRIEVAL, canShorten: true };
}
