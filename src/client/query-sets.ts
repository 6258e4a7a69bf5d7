import {
  type QueryPage,
  type QuerySetInfo,
  type QuerySetRequest,
  type QuerySetSaved,
  queryPageSchema,
  querySetInfoSchema,
  querySetListSchema,
  querySetSavedSchema,
  type StoredQuery,
} from '../contract/query-sets.ts';
import type { SampledSetRequest } from '../contract/sampling.ts';
import { type ListOptions, wholeList } from './partial.ts';
import { readAs, type Send, segment } from './request.ts';

export function querySetCalls(send: Send) {
  const pathOf = (name: string) => `/v1/query-sets/${segment(name)}`;
  /** Returns one page of queries in the order of their ids, from the beginning or after a cursor. */
  async function page(name: string, options: { cursor?: string | null; limit?: number } = {}): Promise<QueryPage> {
    return readAs(await send('GET', `${pathOf(name)}/queries`, { query: options }), queryPageSchema);
  }

  return {
    page,
    /**
     * Creates a query set, or replaces its queries: those given, or `knownItem` ones made from an index. Errors:
     * `InvalidInput`, `IndexNotFound`.
     */
    async save(name: string, request: QuerySetRequest): Promise<QuerySetSaved> {
      return readAs(await send('PUT', pathOf(name), { json: request }), querySetSavedSchema);
    },
    /**
     * Creates a query set from the sampled searches of an alias, or replaces its queries by them. Errors:
     * `InvalidInput` if there are none, `AliasNotFound`.
     */
    async sample(name: string, request: SampledSetRequest): Promise<QuerySetInfo> {
      return readAs(await send('PUT', `${pathOf(name)}/sampled`, { json: request }), querySetInfoSchema);
    },
    /** Returns a query set without its queries. Error: `QuerySetNotFound`. */
    async get(name: string): Promise<QuerySetInfo> {
      return readAs(await send('GET', pathOf(name)), querySetInfoSchema);
    },
    async list(options: ListOptions = {}): Promise<QuerySetInfo[]> {
      const { querySets, unavailable } = await readAs(await send('GET', '/v1/query-sets'), querySetListSchema);
      return wholeList(querySets, unavailable, options);
    },
    /** Yields the queries of a set in the order of their ids, reading pages on demand. Error: `QuerySetNotFound`. */
    async *queries(name: string, { limit = 100 }: { limit?: number } = {}): AsyncGenerator<StoredQuery> {
      let cursor: string | null = null;
      do {
        const found: QueryPage = await page(name, { cursor, limit });
        yield* found.queries;
        cursor = found.cursor;
      } while (cursor !== null);
    },
    /** Deletes a query set. Error: `QuerySetNotFound`. */
    async delete(name: string): Promise<void> {
      await send('DELETE', pathOf(name));
    },
  };
}
