import { type Selectable, sql } from 'kysely';
import { canonicalJson } from '../contract/canonical-json.ts';
import { ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import { type Db, type Trx, transaction } from './database.ts';
import { requireActive, toIndexRow } from './indexes.ts';
import type { IndexesTable, IndexRow } from './schema.ts';

/** New settings of an index that leave its vectors as they are. */
export interface IndexSettings {
  model: ModelConfig;
  readyVectors: boolean;
}

/**
 * Stores settings that `change` makes from those of now, so that two changes at once both count. Every process reads
 * them with the next request or batch. What an index that is built or kept current from this one has taken over from it
 * changes too: a switch brings no old setting back. Errors: `IndexNotFound`, `IndexDeleting`, and what `change` throws.
 */
export async function patchIndex(
  db: Db,
  indexNo: number,
  change: (index: IndexRow) => IndexSettings,
): Promise<IndexRow> {
  return transaction(db, async (trx) => {
    const row: Selectable<IndexesTable> | undefined = await trx
      .selectFrom('reembed.indexes')
      .selectAll()
      .where('no', '=', indexNo)
      // Another change waits, and then sees this one.
      .forUpdate()
      .executeTakeFirst();
    if (!row) throw new ReembedError('IndexNotFound', 'the index was deleted');
    const index = toIndexRow(row);
    requireActive(index);
    const settings = change(index);
    await passOn(trx, index, settings);
    return store(trx, indexNo, settings);
  });
}

async function store(trx: Trx, no: number, { model, readyVectors }: IndexSettings): Promise<IndexRow> {
  const changed = await trx
    .updateTable('reembed.indexes')
    .set({ model: JSON.stringify(model), ready_vectors: readyVectors })
    .where('no', '=', no)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toIndexRow(changed);
}

/** Changes the destinations of locks, as far as they have what their source had before. */
async function passOn(trx: Trx, before: IndexRow, after: IndexSettings): Promise<void> {
  const rows: Selectable<IndexesTable>[] = await trx
    .selectFrom('reembed.indexes')
    .selectAll()
    .where('no', 'in', (locks) =>
      locks
        .selectFrom('reembed.reindex_locks')
        .select('dest_no')
        .where('source_no', '=', before.no)
        .where('lock_expire_time', '>', sql<Date>`now()`),
    )
    .forUpdate()
    .execute();
  for (const other of rows.map(toIndexRow)) {
    const hasModel = canonicalJson(other.model) === canonicalJson(before.model);
    const [own, its] = [other.readyVectors ?? false, before.readyVectors ?? false];
    await store(trx, other.no, {
      model: hasModel ? after.model : other.model,
      readyVectors: own === its ? after.readyVectors : own,
    });
  }
}
