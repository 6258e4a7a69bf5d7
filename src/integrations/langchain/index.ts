/**
 * A LangChain vector store and retriever. Needs `@langchain/core`.
 * @module reembed/langchain
 */
export {
  type AddOptions,
  indexModel,
  type ReembedFilter,
  ReembedVectorStore,
  type ReembedVectorStoreConfig,
} from './vector-store.ts';
