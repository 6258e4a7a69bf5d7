import { ReembedError } from '../contract/errors.ts';
import type { Alias } from '../contract/indexes.ts';
import { type Db, transaction } from './database.ts';
import { holdGatesExclusive, lockNames } from './protocol/gate.ts';
import { dropExpiredLocks, lockOnSource } from './protocol/locks.ts';
import { type AliasMove, moveAlias } from './protocol/move-alias.ts';
import { followAliases } from './search-views.ts';

export async function listAliases(db: Db): Promise<Alias[]> {
  return db
    .selectFrom('reembed.aliases as a')
    .innerJoin('reembed.indexes as i', 'i.no', 'a.index_no')
    .select(['a.name as alias', 'i.name as index'])
    .orderBy('a.name')
    .execute();
}

/**
 * Points an alias to an index, in one transaction under the gates of both indexes, so that a write resolves it to
 * either one. An existing alias is moved only if the new index has everything that the old one has, and no alias to an
 * index of which no object has vectors. If a mirror keeps the new index current, writers are blocked for at most some
 * seconds, so that the last writes reach it. `force` skips both checks. Errors: `IndexNotFound`, `NameTaken` by an index, `IndexDeleting`, `IndexLocked` while one of them is
 * being rebuilt (the reindex moves the alias itself), `NotCurrent` with what is missing.
 */
export async function setAlias(db: Db, alias: string, index: string, options: AliasMove = {}): Promise<Alias> {
  await moveAlias(db, alias, index, options);
  return { alias, index };
}

/** Removes an alias. Errors: `AliasNotFound`, `IndexLocked` while its index is being rebuilt. */
export async function deleteAlias(db: Db, alias: string): Promise<void> {
  await transaction(db, async (trx) => {
    await lockNames(trx);
    const row = await trx.selectFrom('reembed.aliases').select('index_no').where('name', '=', alias).executeTakeFirst();
    if (!row) throw new ReembedError('AliasNotFound', `there is no alias ${alias}`);
    await holdGatesExclusive(trx, row.index_no);
    const lock = await lockOnSource(trx, row.index_no);
    if (lock && !lock.mirror)
      throw new ReembedError('IndexLocked', `the task ${lock.taskId} is rebuilding the alias's index`);
    await dropExpiredLocks(trx, [row.index_no]);
    await trx.deleteFrom('reembed.aliases').where('name', '=', alias).execute();
    await followAliases(trx, [alias]);
  });
}
