import type { z } from 'zod';
import {
  aliasListBody,
  indexBody,
  indexListBody,
  NDJSON,
  type ObjectPage,
  objectBody,
  objectPageBody,
} from '../../contract/bodies.ts';
import { type Alias, aliasSchema, type IndexConfigInput, type IndexInfo } from '../../contract/indexes.ts';
import { type SearchResult, type StoredObject, searchResultSchema, type searchSchema } from '../../contract/objects.ts';
import { type Tracker, trackerSchema } from '../../contract/tasks.ts';
import { linesOf } from './lines.ts';
import { checked, readAs, type Send, segment } from './request.ts';

export function indexCalls(send: Send) {
  const pathOf = (index: string) => `/v1/indexes/${segment(index)}`;
  return {
    /** Creates an index; the same again is fine. Errors: `IndexExists` for other settings, `NameTaken`, `InvalidInput`. */
    async create(index: string, config: IndexConfigInput): Promise<IndexInfo> {
      return readAs(await send('PUT', pathOf(index), { json: config }), indexBody);
    },
    /** By name or alias. Error: `IndexNotFound`. */
    async get(index: string): Promise<IndexInfo> {
      return readAs(await send('GET', pathOf(index)), indexBody);
    },
    async list(): Promise<IndexInfo[]> {
      return (await readAs(await send('GET', '/v1/indexes'), indexListBody)).indexes;
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
     * Points an alias to an index. Errors: `IndexNotFound`, `NameTaken`, `IndexDeleting`, `IndexLocked`, and `NotCurrent`
     * unless `force`, when the index lacks some of what the alias serves now.
     */
    async set(alias: string, index: string, options: { force?: boolean } = {}): Promise<Alias> {
      return readAs(await send('PUT', pathOf(alias), { json: { index, ...options } }), aliasSchema);
    },
    async list(): Promise<Alias[]> {
      return (await readAs(await send('GET', '/v1/aliases'), aliasListBody)).aliases;
    },
    /** Errors: `AliasNotFound`, `IndexLocked`. */
    async delete(alias: string): Promise<void> {
      await send('DELETE', pathOf(alias));
    },
  };
}

export type SearchInput = z.input<typeof searchSchema>;

/** The nearest objects to a text or a vector, in the index that a name or an alias means now. */
export function searchCall(send: Send) {
  return async (index: string, search: SearchInput): Promise<SearchResult> =>
    readAs(await send('POST', `/v1/indexes/${segment(index)}/search`, { json: search }), searchResultSchema);
}

export interface PageOptions {
  cursor?: string | null;
  limit?: number;
}

export function objectCalls(send: Send) {
  const pathOf = (index: string) => `/v1/indexes/${segment(index)}/objects`;
  /** One page in key order, after the cursor of an earlier one. */
  async function page(index: string, options: PageOptions = {}): Promise<ObjectPage> {
    return readAs(await send('GET', pathOf(index), { query: { ...options } }), objectPageBody);
  }

  /** All objects in key order, page by page as they are asked for. */
  async function* list(index: string, { limit = 100 }: { limit?: number } = {}): AsyncGenerator<StoredObject> {
    let cursor: string | null = null;
    do {
      const found: ObjectPage = await page(index, { cursor, limit });
      yield* found.objects;
      cursor = found.cursor;
    } while (cursor !== null);
  }

  /** All objects in key order in one answer: faster than page by page, but broken off when the connection is. */
  async function* stream(index: string, options: { signal?: AbortSignal } = {}): AsyncGenerator<StoredObject> {
    const response = await send('GET', pathOf(index), { ...options, accept: NDJSON });
    for await (const line of linesOf(response)) yield checked(objectBody, JSON.parse(line), response.url);
  }

  return {
    /** Error: `ObjectNotFound` for one that never was or is deleted. */
    async get(index: string, id: string): Promise<StoredObject> {
      return readAs(await send('GET', `${pathOf(index)}/${segment(id)}`), objectBody);
    },
    page,
    list,
    stream,
  };
}
