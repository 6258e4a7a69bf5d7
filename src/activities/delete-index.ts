import type { ControlActivities } from '../contract/activities.ts';
import { deletedSince } from '../store/admission.ts';
import { transaction } from '../store/database.ts';
import { dropIndex } from '../store/drop-index.ts';
import { findIndex, markDeleting } from '../store/indexes.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Activities that delete an index: it takes no writes any more, then its tables are removed. */
export function createDeleteIndexActivities({
  background: db,
}: Pick<ActivityDependencies, 'background'>): Pick<ControlActivities, 'markDeleting' | 'dropIndex'> {
  return {
    async markDeleting({ index, indexNo, force, ownLock }) {
      const marked = await transaction(db, async (trx) => {
        if (indexNo !== null && (await findIndex(trx, index))?.no !== indexNo) {
          throw deletedSince(index);
        }
        return markDeleting(trx, index, { force, ownLock: ownLock ?? undefined });
      });
      return { indexNo: marked.no };
    },
    dropIndex: (indexNo) => dropIndex(db, indexNo),
  };
}
