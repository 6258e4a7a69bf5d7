import type { z } from 'zod';
import { type ExportedObject, exportedObjectSchema } from '../contract/export.ts';
import type { Filter } from '../contract/filters.ts';
import { NDJSON, PARQUET } from '../contract/http.ts';
import { type IndexPatchInput, type PatchedIndex, patchedIndexSchema } from '../contract/index-patch.ts';
import {
  type Alias,
  aliasListSchema,
  aliasSchema,
  type CreatedIndex,
  createdIndexSchema,
  type IndexConfigInput,
  type IndexInfo,
  indexInfoSchema,
  indexListSchema,
} from '../contract/indexes.ts';
import { type ObjectHistory, objectHistorySchema } from '../contract/object-history.ts';
import {
  type ObjectPage,
  objectPageSchema,
  objectSchema,
  type SearchResult,
  type StoredObject,
  searchResultSchema,
  type searchSchema,
} from '../contract/objects.ts';
import { CANARY_HEADER } from '../contract/read-shares.ts';
import {
  type SearchBatchResult,
  type SearchManyResult,
  searchBatchResultSchema,
  searchManyResultSchema,
  type searchManySchema,
} from '../contract/search-many.ts';
import { type Tracker, trackerSchema } from '../contract/tasks.ts';
import { chunksOf, linesOf } from './lines.ts';
import { type ListOptions, wholeList } from './partial.ts';
import { checked, readAs, type Send, segment } from './request.ts';

export function indexCalls(send: Send) {
  const pathOf = (index: string) => `/v1/indexes/${segment(index)}`;
  return {
    /** Creates an index; idempotent. Errors: `IndexExists` for different settings, `NameTaken`, `InvalidInput`. */
    async create(index: string, config: IndexConfigInput): Promise<CreatedIndex> {
      return readAs(await send('PUT', pathOf(index), { json: config }), createdIndexSchema);
    },
    /** Returns an index by name or alias. Error: `IndexNotFound`. */
    async get(index: string): Promise<IndexInfo> {
      return readAs(await send('GET', pathOf(index)), indexInfoSchema);
    },
    async list(options: ListOptions = {}): Promise<IndexInfo[]> {
      const { indexes, unavailable } = await readAs(await send('GET', '/v1/indexes'), indexListSchema);
      return wholeList(indexes, unavailable, options);
    },
    /**
     * Changes settings that leave the vectors as they are. With another vector index, `taskId` is the task that builds it.
     * Errors: `InvalidInput`, `IndexNotFound`, `IndexLocked`, and unless `force` `NotCurrent` if the model does not work.
     */
    async patch(index: string, change: IndexPatchInput): Promise<PatchedIndex> {
      return readAs(await send('PATCH', pathOf(index), { json: change }), patchedIndexSchema);
    },
    /** Starts the task that deletes an index. Errors: `IndexNotFound`, `IndexLocked`, `IndexAliased` unless `force`. */
    async delete(index: string, options: { force?: boolean; taskId?: string } = {}): Promise<Tracker> {
      return readAs(await send('DELETE', pathOf(index), { query: options }), trackerSchema);
    },
  };
}

export function aliasCalls(send: Send) {
  const pathOf = (alias: string) => `/v1/aliases/${segment(alias)}`;
  return {
    /**
     * Points an alias to an index. Errors: `IndexNotFound`, `NameTaken`, `IndexDeleting`, `IndexLocked`, and, unless
     * `force`, `NotCurrent` if the index lacks something that the alias serves now, or could not answer a search.
     */
    async set(alias: string, index: string, options: { force?: boolean } = {}): Promise<Alias> {
      return readAs(await send('PUT', pathOf(alias), { json: { index, ...options } }), aliasSchema);
    },
    async list(options: ListOptions = {}): Promise<Alias[]> {
      const { aliases, unavailable } = await readAs(await send('GET', '/v1/aliases'), aliasListSchema);
      return wholeList(aliases, unavailable, options);
    },
    /** Deletes an alias. Errors: `AliasNotFound`, `IndexLocked`. */
    async delete(alias: string): Promise<void> {
      await send('DELETE', pathOf(alias));
    },
  };
}

export type SearchInput = z.input<typeof searchSchema>;

export interface SearchOptions {
  /**
   * Decides whether a canary answers, if there is one: a key such as the id of a user, `new` for the new index or `old` for
   * the serving one; default: chance.
   */
  canary?: string | undefined;
}

/** Creates the search call: finds the nearest objects to a text or vector in an index, by name or alias. */
export function searchCall(send: Send) {
  return async (index: string, search: SearchInput, options: SearchOptions = {}): Promise<SearchResult> => {
    const headers = canaryHeaders(options);
    const path = `/v1/indexes/${segment(index)}/search`;
    return readAs(await send('POST', path, { json: search, headers }), searchResultSchema);
  };
}

const canaryHeaders = ({ canary }: SearchOptions): Record<string, string> =>
  canary === undefined ? {} : { [CANARY_HEADER]: canary };

/** Creates the call that runs several searches of one index at once; each has a result or a problem. */
export function searchBatchCall(send: Send) {
  return async (
    index: string,
    searches: SearchInput[],
    options: SearchOptions = {},
  ): Promise<SearchBatchResult['results']> => {
    const path = `/v1/indexes/${segment(index)}/search/batch`;
    const response = await send('POST', path, { json: { searches }, headers: canaryHeaders(options) });
    return (await readAs(response, searchBatchResultSchema)).results;
  };
}

export type SearchManyInput = z.input<typeof searchManySchema>;

/** Creates the call that searches several indexes and merges their hits by rank; check `complete`. */
export function searchManyCall(send: Send) {
  return async (search: SearchManyInput, options: SearchOptions = {}): Promise<SearchManyResult> =>
    readAs(await send('POST', '/v1/search', { json: search, headers: canaryHeaders(options) }), searchManyResultSchema);
}

export interface PageOptions {
  cursor?: string | null;
  limit?: number;
  /** Only objects that pass it. A page may have fewer objects, or none, and still a cursor. */
  filter?: Filter;
}

export interface ExportOptions {
  after?: string | undefined;
  /** Goes with `after`: that of the objects which are there. */
  indexCreateTime?: string | undefined;
  vectors?: 'numbers' | 'base64';
  signal?: AbortSignal;
}

export function objectCalls(send: Send) {
  const pathOf = (index: string) => `/v1/indexes/${segment(index)}/objects`;
  const queryOf = ({ filter, ...options }: PageOptions) => ({
    ...options,
    ...(filter && { filter: JSON.stringify(filter) }),
  });
  /** Returns one page in key order, from the beginning or after the cursor of a previous page. */
  async function page(index: string, options: PageOptions = {}): Promise<ObjectPage> {
    return readAs(await send('GET', pathOf(index), { query: queryOf(options) }), objectPageSchema);
  }

  /** Yields objects in key order, reading pages of `limit` on demand. */
  async function* list(index: string, options: Omit<PageOptions, 'cursor'> = {}): AsyncGenerator<StoredObject> {
    let cursor: string | null = null;
    do {
      const found: ObjectPage = await page(index, { ...options, cursor });
      yield* found.objects;
      cursor = found.cursor;
    } while (cursor !== null);
  }

  /** Yields objects in key order from one response: faster than pages, but fails if the connection breaks. */
  async function* stream(
    index: string,
    { signal, ...options }: Pick<PageOptions, 'filter'> & { signal?: AbortSignal } = {},
  ): AsyncGenerator<StoredObject> {
    const query = queryOf(options);
    const response = await send('GET', pathOf(index), { query, accept: NDJSON, ...(signal && { signal }) });
    for await (const line of linesOf(response)) yield checked(objectSchema, JSON.parse(line), response.url);
  }

  /**
   * Yields all objects with their vectors in key order, from one response. Leaving the loop ends the request. If the connection
   * breaks (`ServerUnavailable`), continue with `after`, the id of the last object, its `indexCreateTime`, and the name of the
   * index, not of an alias.
   */
  async function* exportAll(index: string, options: ExportOptions = {}): AsyncGenerator<ExportedObject> {
    const { signal, ...query } = options;
    const path = `/v1/indexes/${segment(index)}/export`;
    const response = await send('GET', path, { query, accept: NDJSON, ...(signal && { signal }) });
    for await (const line of linesOf(response)) yield checked(exportedObjectSchema, JSON.parse(line), response.url);
  }

  /**
   * Yields the bytes of a Parquet file with all objects, from one response. Leaving the loop ends the request. If the connection
   * breaks (`ServerUnavailable`), the bytes are no whole file: begin again.
   */
  async function* exportParquet(
    index: string,
    options: Omit<ExportOptions, 'vectors'> = {},
  ): AsyncGenerator<Uint8Array> {
    const { signal, after, indexCreateTime } = options;
    const path = `/v1/indexes/${segment(index)}/export`;
    const query = { format: 'parquet', after, indexCreateTime };
    yield* chunksOf(await send('GET', path, { query, accept: PARQUET, ...(signal && { signal }) }));
  }

  return {
    /** Returns what happened to an object, newest first. Error: `ObjectNotFound` if the index has never known it. */
    async history(index: string, id: string): Promise<ObjectHistory> {
      return readAs(await send('GET', `${pathOf(index)}/${segment(id)}/history`), objectHistorySchema);
    },
    /** Returns an object. Error: `ObjectNotFound` if it never existed or is deleted. */
    async get(index: string, id: string): Promise<StoredObject> {
      return readAs(await send('GET', `${pathOf(index)}/${segment(id)}`), objectSchema);
    },
    page,
    list,
    stream,
    export: exportAll,
    exportParquet,
  };
}
