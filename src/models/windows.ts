/** Tokens that well-known models read of one text; the rest is refused or ignored. */
const WINDOWS: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 8_191,
  'text-embedding-3-large': 8_191,
  'text-embedding-ada-002': 8_191,
  'embed-v4.0': 128_000,
  'embed-english-v3.0': 512,
  'embed-english-light-v3.0': 512,
  'embed-multilingual-v3.0': 512,
  'embed-multilingual-light-v3.0': 512,
  'voyage-4-large': 32_000,
  'voyage-3-large': 32_000,
  'voyage-3.5': 32_000,
  'voyage-3.5-lite': 32_000,
  'voyage-3': 32_000,
  'voyage-3-lite': 32_000,
  'voyage-code-3': 32_000,
  'voyage-finance-2': 32_000,
  'voyage-law-2': 16_000,
  'mistral-embed': 8_192,
  'bge-m3': 8_192,
  'bge-large-en-v1.5': 512,
  'bge-base-en-v1.5': 512,
  'bge-small-en-v1.5': 512,
  'nomic-embed-text': 8_192,
  'nomic-embed-text-v1.5': 8_192,
  'mxbai-embed-large': 512,
  'mxbai-embed-large-v1': 512,
  'multilingual-e5-large': 512,
  'e5-large-v2': 512,
  'all-minilm': 256,
  'all-MiniLM-L6-v2': 256,
  'jina-embeddings-v3': 8_192,
};

/**
 * Returns how many tokens of one text a model reads, as configured or else as known: infinite for the built-in models,
 * undefined if it is unknown. As in `priceOf`, the vendor before the name is ignored, and so is Ollama's tag after it.
 */
export function windowOf(model: { provider: string; name: string; windowTokens?: number | undefined }) {
  const { provider, name, windowTokens } = model;
  // The model `local` reads longer texts in several windows.
  if (provider === 'hash' || provider === 'words' || provider === 'local') return Number.POSITIVE_INFINITY;
  if (windowTokens !== undefined) return windowTokens;
  if (provider !== 'openai') return undefined;
  const [plain = ''] = name.slice(name.lastIndexOf('/') + 1).split(':');
  return Object.hasOwn(WINDOWS, plain) ? WINDOWS[plain] : undefined;
}
