import { ReembedError } from '../contract/errors.ts';
import type { Alias } from '../contract/indexes.ts';
import { type Db, transaction } from './database.ts';
import { closeCatalog, closeGates } from './protocol/gate.ts';
import { dropExpiredLocks, lockOnSource } from './protocol/locks.ts';
import { type AliasMove, moveAlias } from './protocol/move-alias.ts';

export async function listAliases(db: Db): Promise<Alias[]> {
  return db
    .selectFrom('reembed.aliases as a')
    .innerJoin('reembed.indexes as i', 'i.no', 'a.index_no')
    .select(['a.name as alias', 'i.name as index'])
    .orderBy('a.name')
    .execute();
}

/**
 * Points an alias to an index, in one transaction under the gates of the old and the new index: a write resolves it to
 * the one or the other, never in between. An alias that points elsewhere is moved only to an index that has all that is
 * in the one it leaves; where that is kept current, writers are held back for some seconds at most so that the last
 * writes get there. `force` moves it all the same. Errors: `IndexNotFound`, `NameTaken` by an index, `IndexDeleting`,
 * `IndexLocked` while one of them is being rebuilt (the reindex itself switches the alias), `NotCurrent` with what is
 * missing.
 */
export async function setAlias(db: Db, alias: string, index: string, options: AliasMove = {}): Promise<Alias> {
  await moveAlias(db, alias, index, options);
  return { alias, index };
}

/** Removes an alias. Errors: `AliasNotFound`, `IndexLocked` while its index is being rebuilt. */
export async function deleteAlias(db: Db, alias: string): Promise<void> {
  await transaction(db, async (trx) => {
    await closeCatalog(trx);
    const row = await trx.selectFrom('reembed.aliases').select('index_no').where('name', '=', alias).executeTakeFirst();
    if (!row) throw new ReembedError('AliasNotFound', `there is no alias ${alias}`);
    await closeGates(trx, row.index_no);
    const lock = await lockOnSource(trx, row.index_no);
    if (lock && !lock.mirror)
      throw new ReembedError('IndexLocked', `the task ${lock.taskId} is rebuilding the alias's index`);
    await dropExpiredLocks(trx, [row.index_no]);
    await trx.deleteFrom('reembed.aliases').where('name', '=', alias).execute();
  });
}
