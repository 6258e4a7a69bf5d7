import type { WorkflowExecutionStatusName } from '@temporalio/client';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';

/**
 * Combines the status that the workflow last reported with Temporal's status of the workflow. They differ if Temporal
 * ended the workflow before it could report. This function and `statusCondition` implement the same rule, once for a
 * single task and once as a query: each task has exactly one status in both, so lists, counts and trackers agree.
 */
export function statusOf(execution: WorkflowExecutionStatusName, said: TaskStatus | undefined): TaskStatus {
  switch (execution) {
    case 'COMPLETED':
      return said === 'ignored' ? 'ignored' : 'done';
    case 'FAILED':
      return said === 'exhausted' || said === 'refused' ? said : 'failed';
    case 'CANCELLED':
    case 'TERMINATED':
      return 'canceled';
    case 'TIMED_OUT':
      return 'failed';
    default:
      // A workflow that was started by hand reports nothing until a worker runs it.
      return said ?? 'pending';
  }
}

const CLOSED_AS: Record<TaskStatus, string | null> = {
  pending: null,
  processing: null,
  waiting: null,
  paused: null,
  done: `ExecutionStatus = 'Completed' AND (TaskStatus IS NULL OR TaskStatus != 'ignored')`,
  ignored: `ExecutionStatus = 'Completed' AND TaskStatus = 'ignored'`,
  exhausted: `ExecutionStatus = 'Failed' AND TaskStatus = 'exhausted'`,
  refused: `ExecutionStatus = 'Failed' AND TaskStatus = 'refused'`,
  failed:
    `ExecutionStatus = 'TimedOut' OR ` +
    `(ExecutionStatus = 'Failed' AND (TaskStatus IS NULL OR TaskStatus NOT IN ('exhausted', 'refused')))`,
  canceled: `ExecutionStatus IN ('Canceled', 'Terminated')`,
};

/** Returns the rule of `statusOf` as a condition on Temporal's search attributes. */
export function statusCondition(status: TaskStatus): string {
  const said = status === 'pending' ? `(TaskStatus = 'pending' OR TaskStatus IS NULL)` : `TaskStatus = '${status}'`;
  const running = `(ExecutionStatus = 'Running' AND ${said})`;
  const closed = CLOSED_AS[status];
  return closed === null ? running : `(${running} OR (${closed}))`;
}

export function isTaskStatus(value: unknown): value is TaskStatus {
  return TASK_STATUSES.some((status) => status === value);
}
