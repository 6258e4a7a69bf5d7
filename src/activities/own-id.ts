import { invalidField } from '../contract/errors.ts';

/**
 * Checks that the body of a task that was started by hand names no other task: the id of its workflow is its id.
 * Error: `InvalidInput`.
 */
export function requireOwnId(body: unknown, taskId: string): void {
  const { taskId: named } = (body ?? {}) as { taskId?: unknown };
  if (typeof named !== 'string' || named === taskId) return;
  const message = 'must be the id of the workflow, or be left out';
  throw invalidField('taskId', message, `taskId: ${message}`);
}
