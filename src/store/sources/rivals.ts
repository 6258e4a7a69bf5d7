import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import type { Db } from '../database.ts';
import { resolveIndex } from '../indexes.ts';
import type { IndexRow } from '../schema.ts';
import type { SourceRow } from './rows.ts';

/** Returns the index that a name or an alias stands for now; undefined if there is none. */
export function findTargetIndex(db: Db, nameOrAlias: string): Promise<IndexRow | undefined> {
  return resolveIndex(db, nameOrAlias).catch((error) => {
    if (error instanceof ReembedError && error.type === 'IndexNotFound') return undefined;
    throw error;
  });
}

/** Returns another source that writes to this index, by its name or an alias; undefined if there is none. */
export async function findRival(
  db: Db,
  name: string,
  found: Pick<IndexRow, 'no' | 'name'>,
  index: string = found.name,
): Promise<{ name: string; index: string } | undefined> {
  const { rows } = await sql<{ name: string; index: string }>`
    select s.name, s.index_name as index
    from reembed.sources s
    where s.name <> ${name}
      and (
        s.index_name in (${index}, ${found.name})
        or s.index_name in (select name from reembed.aliases where index_no = ${found.no})
      )
    order by s.name
    limit 1`.execute(db);
  return rows[0];
}

/**
 * Says why a source may not write to its index any more: another one does so too since an alias was moved, and each would
 * delete the objects of the other. Undefined if it may, or if there is no index, which a write tells.
 */
export async function sharedReason(db: Db, { name, definition }: SourceRow): Promise<string | undefined> {
  const index = await findTargetIndex(db, definition.index);
  if (index === undefined) return undefined;
  const rival = await findRival(db, name, index);
  return (
    rival &&
    `the source ${rival.name} writes to the index ${index.name} too (as ${rival.index}), and each would delete the objects of the other: move the alias, or remove one of them, then start the source again`
  );
}
