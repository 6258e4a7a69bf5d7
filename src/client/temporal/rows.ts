import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { TaskStatus } from '../../contract/status.ts';
import type { TaskType, Tracker } from '../../contract/tasks.ts';
import { isTaskStatus, statusOf } from './execution-status.ts';
import { taskCreateTimeKey, taskParentKey, taskStatusKey, typeOfWorkflow } from './names.ts';

/** What a list shows of a task. */
export type TaskRow = Partial<Tracker> & Pick<Tracker, 'id' | 'type' | 'status'>;

/** What Temporal tells about a workflow, in a list or alone. */
export type Execution = Omit<WorkflowExecutionInfo, 'raw'>;

/** The row that a task's workflow keeps in its memo, put right by what Temporal knows. */
export function rowOf(execution: Execution, type: TaskType): TaskRow {
  const kept = execution.memo?.tracker as Partial<Tracker> | undefined;
  const attribute = execution.typedSearchAttributes.get(taskStatusKey);
  const said = isTaskStatus(attribute) ? attribute : kept?.status;
  const parentId = execution.typedSearchAttributes.get(taskParentKey) ?? execution.parentExecution?.workflowId ?? null;
  const created = execution.typedSearchAttributes.get(taskCreateTimeKey) ?? execution.startTime;
  const createTime = created.toISOString();
  const links = { workflowId: execution.workflowId, runId: execution.runId };
  const row = { parentId, updateTime: createTime, ...kept, createTime, id: execution.workflowId, type, links };
  return { ...row, ...corrected(execution, said, row) };
}

/** A row as a whole tracker, with nothing where a row tells nothing. */
export function trackerOfRow(row: TaskRow): Tracker {
  const time = row.createTime ?? new Date(0).toISOString();
  return {
    parentId: null,
    detail: '',
    createTime: time,
    updateTime: time,
    attempts: 0,
    maxAttempts: 3,
    lock: null,
    lockTime: null,
    lockExpireTime: null,
    version: null,
    progress: { done: 0, total: 0, failed: 0, perSecond: 0, etaSeconds: null },
    data: {},
    errors: [],
    steering: [],
    children: {},
    links: { workflowId: row.id, runId: '' },
    ...row,
  };
}

/** What of a tracker is otherwise than its workflow said: Temporal may have ended it without a last word. */
export function corrected(
  execution: Execution,
  said: TaskStatus | undefined,
  tracker: Partial<Tracker>,
  reason?: string,
): Pick<Tracker, 'status'> & Partial<Pick<Tracker, 'detail' | 'updateTime'>> {
  const { name } = execution.status;
  const status = statusOf(name, said);
  const endedByTemporal = name === 'TERMINATED' || name === 'TIMED_OUT';
  if (!endedByTemporal && status === said) return { status };
  const updateTime = execution.closeTime?.toISOString() ?? tracker.updateTime;
  if (!endedByTemporal) return { status, updateTime };
  const what = name === 'TERMINATED' ? 'terminated' : 'timed out';
  return { status, detail: reason ? `${what}: ${reason}` : what, updateTime };
}

/** The type of task of a workflow; undefined for those that are not ours. */
export function typeOf(execution: Execution): TaskType | undefined {
  return typeOfWorkflow(execution.type);
}
