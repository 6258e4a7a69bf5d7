import { keyOfObjectId, objectIdOf } from '../../contract/source-text.ts';
import type { Db } from '../../store/database.ts';
import { findWantedKeys, type ReadTable } from '../../store/sources/table-rows.ts';
import { isOfRow } from './errors.ts';
import { findingEach } from './finding-each.ts';

/** Returns those of these objects that have no row, or one that is not wanted. */
export async function findGone(db: Db, table: ReadTable, ids: readonly string[]): Promise<string[]> {
  const keys = ids.map((id) => keyOfObjectId(id, table.key.length)).filter((key) => key !== undefined);
  const wanted = new Set<string>();
  await findingEach(keys, isOfRow, {
    async work(some) {
      for (const key of await findWantedKeys(db, table, some)) wanted.add(objectIdOf(key));
    },
    // It is no key of this table.
    alone: async () => {},
  });
  return ids.filter((id) => !wanted.has(id));
}
