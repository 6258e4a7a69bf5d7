import { defineSignal, getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import { HOLD } from '../../contract/names.ts';
import { MAX_FAILED_BATCHES } from '../../contract/waits.ts';
import { errorOf } from './errors.ts';
import type { Hold, TaskContext } from './types.ts';

/** Sent by a slice to its reindex: why it cannot continue without help. */
export const holdSignal = defineSignal<[why?: Hold]>(HOLD);

/** Errors that only a person can fix, including transient ones that outlasted all retries of an activity. */
const HOLDING: readonly string[] = [
  'ModelQuotaUsedUp',
  'ModelUnauthorized',
  'ModelNotFound',
  'ModelUnavailable',
  'ModelBadAnswer',
  'ModelRateLimited',
  'ModelWrongDimension',
  'ModelSameVector',
  // Of the whole model: a text that it rejects is a failed object.
  'ModelRejectedInput',
  'BudgetUsedUp',
];

/** Errors that only a model which has worked before can leave behind. */
const CHANGED: readonly string[] = ['ModelRefused'];

/** Why a reindex pauses whose batches fail whole: the objects are rarely to blame. */
export const BATCHES_FAILED: Hold = {
  type: 'TooManyFailed',
  message: `${MAX_FAILED_BATCHES} batches in a row failed whole (see the failed items, which are tried again then)`,
};

/**
 * Runs a step of a reindex. If its model cannot be used, pauses the task with the reason and runs the step again after
 * `resume`, because a reindex is too expensive to fail for that. A slice pauses its whole reindex. With `isNew`, a
 * model that must not be called as configured fails the task. Errors of the types in `passes`, or of others than those in
 * `only`, are thrown.
 */
export async function orHold<T>(
  task: TaskContext,
  step: () => Promise<T>,
  {
    isNew = false,
    passes = [],
    only = [...HOLDING, ...CHANGED],
  }: { isNew?: boolean; passes?: readonly string[]; only?: readonly string[] } = {},
): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const { type, message } = errorOf(error);
      const isHelped = HOLDING.includes(type) || (!isNew && CHANGED.includes(type));
      if (isCancellation(error) || !isHelped || passes.includes(type) || !only.includes(type)) throw error;
      await hold(task, { type, message });
    }
  }
}

/** Pauses the task until someone resumes it. */
export async function hold(task: TaskContext, why: Hold): Promise<void> {
  const { parentId, type } = task.tracker;
  task.hold(why);
  if (type === 'reindex-slice' && parentId !== null) {
    await getExternalWorkflowHandle(parentId)
      .signal(holdSignal, why)
      .catch(() => {});
  }
  await task.checkpoint();
}
