import { defineSignal, getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import { HOLD } from '../contract/names.ts';
import { errorOf } from './errors.ts';
import type { Task } from './task.ts';

/** From a slice to its reindex: why it cannot go on until someone helps. */
export const holdSignal = defineSignal<[why?: Hold]>(HOLD);

export interface Hold {
  type: string;
  message: string;
}

/** Errors of a model after which nothing but a person helps, those after all tries of an activity included. */
const HOLDING: readonly string[] = [
  'ModelQuotaUsedUp',
  'ModelUnauthorized',
  'ModelNotFound',
  'ModelUnavailable',
  'ModelBadAnswer',
  'ModelRateLimited',
];

/** Of a model that has answered rightly before: what is behind its address is another one now. */
const CHANGED: readonly string[] = ['ModelWrongDimension', 'ModelRefused'];

/**
 * Runs a step of a reindex. Where its model cannot be used, the task is paused with the reason, and the step is run
 * again once it is resumed: a reindex has cost too much to end for that. A slice pauses its whole reindex. A model that
 * `isNew` and can never be used as it is configured fails the task.
 */
export async function orHold<T>(task: Task, step: () => Promise<T>, { isNew = false } = {}): Promise<T> {
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
export async function hold(task: Task, why: Hold): Promise<void> {
  const { parentId, type } = task.tracker;
  task.hold(why);
  if (type === 'reindex-slice' && parentId !== null) {
    await getExternalWorkflowHandle(parentId)
      .signal(holdSignal, why)
      .catch(() => {});
  }
  await task.checkpoint();
}
