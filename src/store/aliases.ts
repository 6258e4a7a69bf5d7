import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { Alias } from '../contract/indexes.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { findIndex, findIndexByNo } from './indexes.ts';
import { readTables } from './partitions.ts';
import { IS_BEHIND, joinPair, lookUpPair, markChanges } from './protocol/copy.ts';
import { closeCatalog, closeGates } from './protocol/gate.ts';
import { type Lock, lockOnSource, locksTouching } from './protocol/locks.ts';

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
 * the one or the other, never in between. Errors: `IndexNotFound`, `NameTaken` by an index, `IndexDeleting`,
 * `IndexLocked` while one of them is being rebuilt (the reindex itself switches the alias), `NotCurrent` when it would
 * go back to a retired index that lacks what was written since.
 */
export async function setAlias(db: Db, alias: string, indexName: string): Promise<Alias> {
  const compared = await compareMirror(db, alias, indexName);
  return transaction(db, async (trx) => {
    await closeCatalog(trx);
    const index = await findIndex(trx, indexName);
    if (!index) throw new ReembedError('IndexNotFound', `there is no index ${indexName}`);
    if (index.state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${indexName} is being deleted`);
    if (await findIndex(trx, alias)) throw new ReembedError('NameTaken', `${alias} is the name of an index`);
    const current = await trx
      .selectFrom('reembed.aliases')
      .select('index_no')
      .where('name', '=', alias)
      .executeTakeFirst();
    if (current?.index_no === index.no) return { alias, index: indexName };
    const touched = current ? [current.index_no, index.no] : [index.no];
    await closeGates(trx, ...touched);
    // Again: before the gate closed, the index may have been marked as being deleted.
    const state = (await findIndexByNo(trx, index.no))?.state ?? 'deleting';
    if (state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${indexName} is being deleted`);
    for (const lock of await locksTouching(trx, touched)) {
      if (!lock.mirror) {
        throw new ReembedError('IndexLocked', `the task ${lock.taskId} holds an index of this switch: cancel it first`);
      }
      if (lock.sourceNo === current?.index_no && lock.destNo === index.no) {
        await requireCurrent(trx, lock, compared?.lock === lock.lock ? compared.mark : 0);
        // It serves again: nobody is to keep it current any more, nor to delete it.
        await trx.deleteFrom('reembed.reindex_locks').where('lock', '=', lock.lock).execute();
      }
    }
    await trx
      .insertInto('reembed.aliases')
      .values({ name: alias, index_no: index.no })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ index_no: index.no }))
      .execute();
    return { alias, index: indexName };
  });
}

/**
 * Before any gate closes: where the alias would go back to a retired index, that has all changes up to the mark that is
 * returned. What comes later is little, and compared under the gates.
 */
async function compareMirror(db: Db, alias: string, indexName: string): Promise<{ lock: string; mark: number } | null> {
  const index = await findIndex(db, indexName);
  const current = await db
    .selectFrom('reembed.aliases')
    .select('index_no')
    .where('name', '=', alias)
    .executeTakeFirst();
  if (!index || !current) return null;
  const mirror = (await locksTouching(db, [index.no])).find(
    (lock) => lock.mirror && lock.sourceNo === current.index_no && lock.destNo === index.no,
  );
  if (!mirror) return null;
  return readTables(index, async () => {
    const mark = await markChanges(db, mirror.sourceNo);
    await requireCurrent(db, mirror, 0);
    return { lock: mirror.lock, mark };
  });
}

/** The retired index of a mirror has all that was changed after a mark in the one that replaced it. */
async function requireCurrent(db: Db | Trx, mirror: Lock, mark: number): Promise<void> {
  const { rows } = await sql<{ objects: number }>`
    select count(*) as objects
    from ${mark === 0 ? joinPair(mirror) : lookUpPair(mirror)}
    where s.index_no = ${mirror.sourceNo} and s.change > ${mark} and ${IS_BEHIND}`.execute(db);
  const behind = rows[0]?.objects ?? 0;
  if (behind === 0) return;
  throw new ReembedError(
    'NotCurrent',
    `${behind} objects written since the switch are not in the retired index yet: try again in a moment`,
  );
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
    await trx.deleteFrom('reembed.aliases').where('name', '=', alias).execute();
  });
}
