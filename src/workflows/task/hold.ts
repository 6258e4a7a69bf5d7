import { defineSignal, getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import { HOLD } from '../../contract/names.ts';
import { errorOf } from './errors.ts';
import type { Hold, TaskContext } from './types.ts';

/** Sent by a slice to its reindex: why it cannot continue without help. */
export const holdSignal = defineSignal<[why?: Hold]>(HOLD);

/** Model errors that only a person can fix, including transient ones that outlasted all retries of an activity. */
const HOLDING: readonly string[] = [
  'ModelQuotaUsedUp',
  'ModelUnauthorized',
  'ModelNotFound',
  'ModelUnavailable',
  'ModelBadAnswer',
  'ModelRateLimited',
];

/** Errors that mean, for a model that has worked before, that a different model is now behind its address. */
const CHANGED: readonly string[] = ['ModelWrongDimension', 'ModelRefused'];

/**
 * Runs a step of a reindex. If its model cannot be used, pauses the task with the reason and runs the step again after
 * `resume`, because a reindex is too expensive to fail for that. A slice pauses its whole reindex. With `isNew`, a
 * model that cannot work as configured fails the task.
 */
export async function orHold<T>(task: TaskContext, step: () => Promise<T>, { isNew = false } = {}): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const { type, message } = errorOf(error);
      const isHelped = HOLDING.includes(type) || (!isNew && CHANGED.includes(type));
      if (isCancellation(error) || !isHelped) throw error;
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
