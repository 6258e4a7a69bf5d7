import type { Document, DocumentInterface } from '@langchain/core/documents';
import type { EmbeddingsInterface } from '@langchain/core/embeddings';
import { VectorStore } from '@langchain/core/vectorstores';
import type { BulkOptions, ReembedClient, SearchInput } from '../../client/client.ts';
import { invalidField } from '../../contract/errors.ts';
import type { IndexConfigInput } from '../../contract/indexes.ts';
import { searchFully } from '../search-fully.ts';
import { documentOf, documentsOf, itemsOf } from './documents.ts';
import { writeAll } from './write.ts';

export interface ReembedVectorStoreConfig {
  client: ReembedClient;
  /** Name of an index or, so that its model can be changed later, of an alias. */
  index: string;
  /** Settings with which `fromTexts` and `fromDocuments` create the index, unless it exists. Default: it must exist. */
  create?: IndexConfigInput;
  /** What a write does while the index is being rebuilt; default: `forward`. */
  onReindex?: BulkOptions['onReindex'];
  /** Timeout of a search in seconds; default: that of the server. */
  timeoutSeconds?: number;
  /** Return what a search found until its timeout; default: throw `SearchTimeout`. */
  allowIncomplete?: boolean;
  /** Decides whether a canary answers: `new`, `old`, or a key such as the id of a user. */
  canary?: string;
}

export type ReembedFilter = NonNullable<SearchInput['filter']>;

export interface AddOptions {
  /** Ids of the documents; default: those of the documents, otherwise random ones. */
  ids?: string[];
  signal?: AbortSignal;
}

const refuse = async (): Promise<never> => {
  throw invalidField('embeddings', 'the model of the index embeds texts; there is no other one');
};

/** Stands for the model of the index where LangChain asks for embeddings; it embeds nothing itself. */
export const indexModel: EmbeddingsInterface = { embedDocuments: refuse, embedQuery: refuse };

/**
 * A LangChain vector store over an index or alias of reembed. The model of the index embeds, so that a reindex can
 * change it while the store is in use. Writes resolve when their tasks are done. Scores: higher is more similar.
 *
 * @example
 * const store = new ReembedVectorStore({ client: createClient({ baseUrl }), index: 'docs' });
 * await store.addDocuments([{ id: 'a', pageContent: 'a lion sleeps', metadata: { lang: 'en' } }]);
 * const documents = await store.asRetriever({ k: 3, filter: { lang: 'en' } }).invoke('big cat');
 */
export class ReembedVectorStore extends VectorStore {
  declare FilterType: ReembedFilter;
  readonly #config: ReembedVectorStoreConfig;

  /** @throws ReembedError `InvalidInput` if `client` or `index` is missing */
  constructor(config: ReembedVectorStoreConfig) {
    if (typeof config?.client?.search !== 'function') throw invalidField('client', 'must be a client of createClient');
    if (typeof config.index !== 'string' || config.index === '')
      throw invalidField('index', 'must be the name of an index or alias');
    // LangChain may log what it is given here.
    super(indexModel, { index: config.index });
    this.#config = config;
  }

  override _vectorstoreType(): string {
    return 'reembed';
  }

  /**
   * Upserts documents and returns their ids when they are written: a document with a known id replaces the old one.
   * Errors: `InvalidInput`, `IndexNotFound`, or that of the first document that could not be written.
   */
  override async addDocuments(documents: DocumentInterface[], { ids, signal }: AddOptions = {}): Promise<string[]> {
    const items = itemsOf(documents, ids);
    await this.#write(
      items.map((item) => ({ upsert: item })),
      signal,
    );
    return items.map(({ id }) => id);
  }

  /** Always throws: vectors come from the model of the index, else a reindex could not replace them. */
  override async addVectors(): Promise<never> {
    throw invalidField('vectors', 'an index of reembed embeds texts itself; use addDocuments');
  }

  /** Deletes documents by id and resolves when they are gone; unknown ids are ignored. Error: `InvalidInput`. */
  override async delete({ ids, signal }: { ids?: string[]; signal?: AbortSignal } = {}): Promise<void> {
    if (!Array.isArray(ids)) throw invalidField('ids', 'must be a list of ids');
    await this.#write(
      ids.map((id) => ({ delete: id })),
      signal,
    );
  }

  /** Finds the documents that are most similar to a text. Errors: `IndexNotFound`, `SearchTimeout`, those of the model. */
  override async similaritySearch(query: string, k = 4, filter?: ReembedFilter): Promise<Document[]> {
    return (await this.similaritySearchWithScore(query, k, filter)).map(([document]) => document);
  }

  /** Like `similaritySearch`, with scores. */
  override similaritySearchWithScore(query: string, k = 4, filter?: ReembedFilter): Promise<[Document, number][]> {
    return this.#search({ text: query, limit: k, filter });
  }

  /** Finds the documents that are most similar to a vector of the model of the index. */
  override similaritySearchVectorWithScore(
    query: number[],
    k: number,
    filter?: ReembedFilter,
  ): Promise<[Document, number][]> {
    return this.#search({ vector: query, limit: k, filter });
  }

  /** Creates the index if `create` is given, and adds texts with the same or with their own metadata. */
  static override async fromTexts(
    texts: string[],
    metadatas: object[] | object,
    embeddings: EmbeddingsInterface | null,
    config: ReembedVectorStoreConfig,
  ): Promise<ReembedVectorStore> {
    return ReembedVectorStore.fromDocuments(documentsOf(texts, metadatas), embeddings, config);
  }

  /**
   * Creates the index if `create` is given, and adds documents. `embeddings` is `null` or `indexModel`. Errors:
   * `InvalidInput`, `IndexExists` for an index with other settings, and those of `addDocuments`.
   */
  static override async fromDocuments(
    documents: DocumentInterface[],
    embeddings: EmbeddingsInterface | null,
    config: ReembedVectorStoreConfig,
  ): Promise<ReembedVectorStore> {
    checkEmbeddings(embeddings);
    const store = new ReembedVectorStore(config);
    if (config.create) await config.client.indexes.create(config.index, config.create);
    await store.addDocuments(documents);
    return store;
  }

  /** Returns the store of an index or alias that exists. Error: `IndexNotFound`. */
  static async fromExistingIndex(
    embeddings: EmbeddingsInterface | null,
    config: ReembedVectorStoreConfig,
  ): Promise<ReembedVectorStore> {
    checkEmbeddings(embeddings);
    const store = new ReembedVectorStore(config);
    await config.client.indexes.get(config.index);
    return store;
  }

  async #write(operations: Parameters<typeof writeAll>[1], signal: AbortSignal | undefined): Promise<void> {
    const { client, index, onReindex } = this.#config;
    await writeAll(client, operations, { index, onReindex, signal });
  }

  async #search(search: SearchInput): Promise<[Document, number][]> {
    const { client, index, ...options } = this.#config;
    const { hits } = await searchFully(client, index, search, options);
    return hits.map((hit) => [documentOf(hit), hit.score]);
  }
}

function checkEmbeddings(embeddings: EmbeddingsInterface | null): void {
  if (embeddings === null || embeddings === undefined || embeddings === indexModel) return;
  throw invalidField(
    'embeddings',
    'the model of the index embeds; give null or indexModel, and set the model in create',
  );
}
