import type { AdmitRequest, ControlActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { steerSchema } from '../contract/steer-tasks.ts';
import { deleteIndexSchema, deleteSchema, reindexSchema, upsertSchema } from '../contract/tasks.ts';
import { admitItems, requireWritable } from '../store/admission.ts';
import { finishStaged } from '../store/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Checks what a workflow was started with, when it was not the API that did. Its items are staged under the task's id:
 * a try that fails drops none, since the next one may be at it already and stages the same.
 */
export function createAdmitActivities({ db }: ActivityDependencies): Pick<ControlActivities, 'admit' | 'dropStaged'> {
  return {
    async admit({ taskId, type, input, version }: AdmitRequest) {
      switch (type) {
        case 'upsert': {
          const { items, ...rest } = upsertSchema.parse(input);
          const index = await requireWritable(db, rest.index);
          return {
            input: rest,
            accepted: await admitItems(db, { staging: taskId, index, items, field: 'items', version }),
          };
        }
        case 'delete': {
          const { ids, ...rest } = deleteSchema.parse(input);
          const index = await requireWritable(db, rest.index);
          return {
            input: rest,
            accepted: await admitItems(db, { staging: taskId, index, items: ids, field: 'ids', version }),
          };
        }
        case 'reindex':
          return { input: reindexSchema.parse(input), accepted: null };
        case 'delete-index':
          return { input: deleteIndexSchema.parse(input), accepted: null };
        case 'steer':
          return { input: steerSchema.parse(input), accepted: null };
        default:
          throw new ReembedError('InvalidInput', `a task of type ${type} cannot be started by itself`);
      }
    },
    dropStaged: (staging, counts) => finishStaged(db, staging, counts),
  };
}
