import type { WorkflowExecutionInfo } from '@temporalio/client';
import { KEYS } from '../../contract/search-attributes.ts';
import type { TaskStatus } from '../../contract/status.ts';
import { type TaskType, typeOfWorkflow } from '../../contract/task-types.ts';
import { type Tracker, trackerSchema } from '../../contract/tasks.ts';
import { isTaskStatus, statusOf } from './execution-status.ts';

const publishedSchema = trackerSchema.partial();

/** A task in a list. */
export type TaskRow = Partial<Tracker> & Pick<Tracker, 'id' | 'type' | 'status'>;

/** Temporal's information about a workflow, from a list or a single call. */
export type Execution = Omit<WorkflowExecutionInfo, 'raw'>;

/** Builds a row from the memo of a task's workflow, corrected by Temporal's own status. */
export function rowOf(execution: Execution, type: TaskType): TaskRow {
  const kept = published(execution);
  const attribute = execution.typedSearchAttributes.get(KEYS.status);
  const said = isTaskStatus(attribute) ? attribute : kept?.status;
  const parentId = execution.typedSearchAttributes.get(KEYS.parentId) ?? execution.parentExecution?.workflowId ?? null;
  const created = execution.typedSearchAttributes.get(KEYS.createTime) ?? execution.startTime;
  const createTime = created.toISOString();
  const links = { workflowId: execution.workflowId, runId: execution.runId };
  const ended = execution.status.name !== 'RUNNING';
  const { pace, ...rest } = kept ?? {};
  const paced = ended || pace === undefined ? rest : { ...rest, pace };
  const row = { parentId, updateTime: createTime, ...paced, createTime, id: execution.workflowId, type, links, ended };
  return { ...row, ...listedOnly(execution), ...corrected(execution, said, row) };
}

/** Returns what a task has published of its tracker. The starter of a workflow can give it a memo with any content. */
function published({ memo }: Execution): Partial<Tracker> | undefined {
  return publishedSchema.safeParse(memo?.tracker).data;
}

/** Returns what only lists show: the end of a task, and what it is about. */
function listedOnly({ closeTime, typedSearchAttributes }: Execution): Partial<Tracker> {
  const indexes = typedSearchAttributes.get(KEYS.indexes);
  const job = typedSearchAttributes.get(KEYS.jobName);
  return {
    ...(closeTime && { endTime: closeTime.toISOString() }),
    ...(indexes && { indexes: [...indexes] }),
    ...(job !== undefined && { job }),
  };
}

/** Completes a row to a tracker, with empty values for what a row lacks. */
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

/** Returns the fields to correct in a tracker if Temporal ended the workflow before it could report. */
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

/** Returns the type of task of a workflow; undefined for workflows of other products. */
export function typeOf(execution: Execution): TaskType | undefined {
  return typeOfWorkflow(execution.type);
}
