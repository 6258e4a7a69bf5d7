import type { AdmitRequest, ControlActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { vectorIndexTaskSchema } from '../contract/index-patch.ts';
import { deleteIndexSchema, deleteSchema, reindexSchema, upsertSchema } from '../contract/task-bodies.ts';
import { factsOf, type TaskType } from '../contract/task-types.ts';
import { requireBatches, requirePrice } from '../models/prices.ts';
import { admitItemsOnce, boundTo, requireWritable } from '../store/admission.ts';
import { admitOnce, forgetFailedOnce, lastAdmission } from '../store/admissions.ts';
import { type Db, transaction } from '../store/database.ts';
import { checkApproval } from '../store/evaluations.ts';
import { findIndex, getIndex, resolveIndex } from '../store/indexes.ts';
import { checkReads } from '../store/protocol/reads.ts';
import { dropFailed, finishStaged } from '../store/staging.ts';
import { openUsage } from '../store/usage.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { requireOwnId } from './own-id.ts';

type Admission = Pick<AdmitRequest, 'taskId' | 'version' | 'again'> & { staging: string };
type Admit = (
  db: Db,
  admission: Admission,
  input: unknown,
  settings: ActivityDependencies['settings'],
) => ReturnType<ControlActivities['admit']>;

/** Admission of the types whose input is not only checked. */
const ADMISSIONS: Partial<Record<TaskType, Admit>> = {
  async upsert(db, admission, input) {
    const { items, ...rest } = upsertSchema.parse(input);
    const index = await requireWritable(db, rest.index);
    return {
      input: rest,
      accepted: await admitItemsOnce(db, { ...admission, index, items, field: 'items', name: rest.index }),
    };
  },
  async delete(db, admission, input) {
    const { ids, ...rest } = deleteSchema.parse(input);
    const index = await requireWritable(db, rest.index);
    return {
      input: rest,
      accepted: await admitItemsOnce(db, { ...admission, index, items: ids, field: 'ids', name: rest.index }),
    };
  },
  async reindex(db, { taskId, staging, again }, input, { modelPrices }) {
    const checked = reindexSchema.parse(input);
    const { budget, batchApi } = checked;
    if (budget || batchApi) {
      const existing = (await findIndex(db, checked.dest))?.model ?? checked.destModel;
      const model = existing ?? (await resolveIndex(db, checked.source)).model;
      if (batchApi) requireBatches(model);
      if (budget) requirePrice(budget, model, modelPrices);
    }
    await checkApproval(db, checked.source, checked.approve);
    await checkReads(db, checked);
    const source = await resolveIndex(db, checked.source);
    const before = again ? await lastAdmission(db, taskId) : undefined;
    const sourceNo = await transaction(db, async (trx) => {
      const indexNo = before ? before.indexNo : boundTo(source, checked.source);
      const admission = await admitOnce(trx, staging, { version: null, indexNo });
      if (admission.isFirst && !again) await dropFailed(trx, taskId);
      return admission.indexNo;
    });
    await openUsage(db, taskId, budget, again);
    return { input: { ...checked, sourceNo }, accepted: null };
  },
  'delete-index': async (db, admission, input) => {
    const body = deleteIndexSchema.parse(input);
    return { input: { ...body, indexNo: await bindIndex(db, admission, body.index) }, accepted: null };
  },
  'vector-index': async (db, admission, input) => {
    const body = vectorIndexTaskSchema.parse(input);
    return { input: { ...body, indexNo: await bindIndex(db, admission, body.index) }, accepted: null };
  },
};

/**
 * Admits tasks that were not started through the API. Items are staged under the task's id and its start, so that a
 * second start has its own items. A failed attempt drops none, since the next one may already be running and stages the
 * same items.
 */
export function createAdmitActivities({
  db,
  settings,
}: ActivityDependencies): Pick<ControlActivities, 'admit' | 'forgetFailed' | 'dropStaged'> {
  return {
    async admit({ taskId, chain, type, input, version, again }: AdmitRequest) {
      requireOwnId(input, taskId);
      const admission = { taskId, staging: `${taskId}/${chain}`, version, again };
      const admit = ADMISSIONS[type];
      if (admit) return admit(db, admission, input, settings);
      const { body } = factsOf(type);
      if (body === null) throw new ReembedError('InvalidInput', `a task of type ${type} cannot be started by itself`);
      return { input: body.parse(input) as Record<string, unknown>, accepted: null };
    },
    forgetFailed: (taskId, staging) => forgetFailedOnce(db, taskId, staging),
    dropStaged: (staging, counts) => finishStaged(db, staging, counts),
  };
}

/** Records the number of the index that a task names, so that a later index of the same name is left alone. */
async function bindIndex(db: Db, { taskId, staging, again }: Admission, name: string): Promise<number> {
  const index = await getIndex(db, name);
  const before = again ? await lastAdmission(db, taskId) : undefined;
  const { indexNo } = await admitOnce(db, staging, { version: null, indexNo: before?.indexNo ?? index.no });
  return indexNo ?? index.no;
}
