import type { Context } from 'hono';
import { LIMITS } from '../contract/limits.ts';
import type { ApiEnv } from './router.ts';

/** The task that a call is about, if it is about one: for the log and for traces. */
export function taskOf(c: Context<ApiEnv>): string | undefined {
  const taskId = c.get('taskId') ?? c.req.query('taskId') ?? c.req.query('task_id');
  return taskId?.slice(0, LIMITS.taskIdChars);
}

/** Notes the task that a call has started; its router may be mounted in an app of other variables. */
export function noteTask(c: Context, taskId: string): void {
  (c as Context<ApiEnv>).set('taskId', taskId);
}
