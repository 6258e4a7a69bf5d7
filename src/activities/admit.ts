import type { AdmitRequest, ControlActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { steerSchema } from '../contract/steer-tasks.ts';
import {
  type DeleteIndexBody,
  deleteIndexSchema,
  deleteSchema,
  reindexSchema,
  upsertSchema,
} from '../contract/tasks.ts';
import { admitItemsOnce, requireWritable } from '../store/admission.ts';
import { admitOnce, forgetFailedOnce } from '../store/admissions.ts';
import type { Db } from '../store/database.ts';
import { findIndex } from '../store/indexes.ts';
import { finishStaged } from '../store/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Checks what a workflow was started with, when it was not the API that did. Its items are staged under the task's id
 * and its start: a second start has items of its own. A try that fails drops none, since the next one may be at it
 * already and stages the same.
 */
export function createAdmitActivities({
  db,
}: ActivityDependencies): Pick<ControlActivities, 'admit' | 'forgetFailed' | 'dropStaged'> {
  return {
    async admit({ taskId, chain, type, input, version, again }: AdmitRequest) {
      const admission = { taskId, staging: `${taskId}/${chain}`, version, again };
      switch (type) {
        case 'upsert': {
          const { items, ...rest } = upsertSchema.parse(input);
          const index = await requireWritable(db, rest.index);
          return {
            input: rest,
            accepted: await admitItemsOnce(db, { ...admission, index, items, field: 'items', name: rest.index }),
          };
        }
        case 'delete': {
          const { ids, ...rest } = deleteSchema.parse(input);
          const index = await requireWritable(db, rest.index);
          return {
            input: rest,
            accepted: await admitItemsOnce(db, { ...admission, index, items: ids, field: 'ids', name: rest.index }),
          };
        }
        case 'reindex': {
          const checked = reindexSchema.parse(input);
          if (!again) await forgetFailedOnce(db, taskId, admission.staging);
          return { input: checked, accepted: null };
        }
        case 'delete-index':
          return { input: await bindDeletion(db, admission.staging, deleteIndexSchema.parse(input)), accepted: null };
        case 'steer':
          return { input: steerSchema.parse(input), accepted: null };
        default:
          throw new ReembedError('InvalidInput', `a task of type ${type} cannot be started by itself`);
      }
    },
    forgetFailed: (taskId, staging) => forgetFailedOnce(db, taskId, staging),
    dropStaged: (staging, counts) => finishStaged(db, staging, counts),
  };
}

/** The number of the index that is to be deleted: another one that has its name by then is not. */
async function bindDeletion(db: Db, staging: string, body: DeleteIndexBody) {
  const index = await findIndex(db, body.index);
  if (!index) throw new ReembedError('IndexNotFound', `there is no index ${body.index}`);
  const { indexNo } = await admitOnce(db, staging, { version: null, indexNo: index.no });
  return { ...body, indexNo: indexNo ?? index.no };
}
