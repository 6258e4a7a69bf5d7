import type { Selectable } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import type { ModelConfig } from '../contract/models.ts';
import { type Db, transaction } from './database.ts';
import { requireActive, toIndexRow } from './indexes.ts';
import type { IndexesTable, IndexRow } from './schema.ts';

/** New settings of an index that leave its vectors as they are. */
export interface IndexSettings {
  model: ModelConfig;
  readyVectors: boolean;
}

/**
 * Stores settings that `change` makes from those of now, so that two changes at once both count. Every process reads
 * them with the next request or batch. Errors: `IndexNotFound`, `IndexDeleting`, and what `change` throws.
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
    const { model, readyVectors } = change(index);
    const changed = await trx
      .updateTable('reembed.indexes')
      .set({ model: JSON.stringify(model), ready_vectors: readyVectors })
      .where('no', '=', indexNo)
      .returningAll()
      .executeTakeFirstOrThrow();
    return toIndexRow(changed);
  });
}
