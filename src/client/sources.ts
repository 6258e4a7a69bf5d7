import {
  type SourceDefinitionInput,
  type SourceInfo,
  type SourcePlan,
  type SourceRemoved,
  type SourceSaved,
  sourceInfoSchema,
  sourceListSchema,
  sourcePlanSchema,
  sourceRemovedSchema,
  sourceSavedSchema,
} from '../contract/sources.ts';
import { type ListOptions, wholeList } from './partial.ts';
import { readAs, type Send, segment } from './request.ts';

export function sourceCalls(send: Send) {
  const pathOf = (name: string) => `/v1/sources/${segment(name)}`;
  return {
    /**
     * Lets an index follow a table, or changes what of the table it takes; all rows are then synced by a task. Error: `InvalidInput` with each problem by
     * field; nothing is changed then.
     */
    async save(name: string, definition: SourceDefinitionInput): Promise<SourceSaved> {
      return readAs(await send('PUT', pathOf(name), { json: definition }), sourceSavedSchema);
    },
    /** Checks a source and returns the statements that would set it up. Error: `InvalidInput` as above. */
    async plan(name: string, definition: SourceDefinitionInput): Promise<SourcePlan> {
      return readAs(await send('PUT', pathOf(name), { json: definition, query: { plan: true } }), sourcePlanSchema);
    },
    async list(options: ListOptions = {}): Promise<SourceInfo[]> {
      const { sources, unavailable } = await readAs(await send('GET', '/v1/sources'), sourceListSchema);
      return wholeList(sources, unavailable, options);
    },
    /** Returns a source with its state and its backlog. Error: `SourceNotFound`. */
    async get(name: string): Promise<SourceInfo> {
      return readAs(await send('GET', pathOf(name)), sourceInfoSchema);
    },
    /** Follows a source again, and syncs all its rows. Errors: `SourceNotFound`, `TemporalUnavailable`. */
    async start(name: string): Promise<SourceInfo> {
      return readAs(await send('POST', `${pathOf(name)}/start`), sourceInfoSchema);
    },
    /** Follows a source no more; its triggers still record changes. Errors as above. */
    async stop(name: string): Promise<SourceInfo> {
      return readAs(await send('POST', `${pathOf(name)}/stop`), sourceInfoSchema);
    },
    /**
     * Removes a source with its triggers; the objects stay in the index. With `force` also if the table's database does
     * not answer: then `sql` remains to be run there. Errors: `SourceNotFound`, `DatabaseUnavailable`.
     */
    async delete(name: string, { force = false }: { force?: boolean } = {}): Promise<SourceRemoved> {
      return readAs(await send('DELETE', pathOf(name), { query: { force: force || null } }), sourceRemovedSchema);
    },
  };
}
