import type { Context } from 'hono';
import { LIMITS } from '../contract/limits.ts';
import type { ApiEnv } from './create-router.ts';

/** Returns the task that a call refers to, if any, for the log and for traces. */
export function taskOf(c: Context<ApiEnv>): string | undefined {
  const taskId = c.get('taskId') ?? c.req.query('taskId') ?? c.req.query('task_id');
  return taskId?.slice(0, LIMITS.taskIdChars);
}

/** Records the task that a call started; its router may be mounted in an app with other variables. */
export function noteTask(c: Context, taskId: string): void {
  (c as Context<ApiEnv>).set('taskId', taskId);
}
