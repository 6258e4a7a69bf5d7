import { ReembedError } from '../../contract/errors.ts';
import { nameSchema } from '../../contract/indexes.ts';
import type { TaskStatus } from '../../contract/status.ts';
import { TASK_TYPES, type TaskType } from '../../contract/tasks.ts';
import { statusCondition } from './execution-status.ts';
import { WORKFLOW_OF } from './names.ts';

export interface TaskFilter {
  /** All but the slices of reindexes if not given, and these too with `parentId`. */
  types?: readonly TaskType[];
  statuses?: readonly TaskStatus[];
  /** Name of an index, or of the alias the task was given. */
  index?: string;
  parentId?: string;
  /** Of a job: the name of its definition. */
  name?: string;
  /** Only those that have not ended. */
  open?: boolean;
  /** Created at this moment or later. */
  createdAfter?: Date;
  /** Created before this moment. */
  createdBefore?: Date;
  taskIds?: readonly string[];
}

/**
 * The filter in Temporal's query language. Runs that went on as another one are not tasks of their own. Error:
 * `InvalidInput` for an index that cannot be one.
 */
export function queryOf(filter: TaskFilter): string {
  return and(`ExecutionStatus != 'ContinuedAsNew'`, runsOf(filter));
}

/** The same with all runs that a task has had, also those that went on as another one. */
export function runsOf(filter: TaskFilter): string {
  const { types, statuses, index, parentId, name, open, createdAfter, createdBefore, taskIds } = filter;
  // Not for Temporal to see: its SQLite store breaks on a quote in the value of a list attribute, however escaped.
  if (index !== undefined && !nameSchema.safeParse(index).success)
    throw badField('index', 'must be the name of an index');
  const shown = types ?? TASK_TYPES.filter((type) => parentId !== undefined || type !== 'reindex-slice');
  return and(
    `WorkflowType IN (${list(shown.map((type) => WORKFLOW_OF[type]))})`,
    statuses && `(${statuses.map(statusCondition).join(' OR ')})`,
    index !== undefined && `TaskIndex = ${quote(index)}`,
    name !== undefined && `JobName = ${quote(name)}`,
    open === true && `ExecutionStatus = 'Running'`,
    // A child that was restarted is no child to Temporal any more, and one that has not said so yet is none to us.
    parentId !== undefined && `(TaskParent = ${quote(parentId)} OR ParentWorkflowId = ${quote(parentId)})`,
    (createdAfter || createdBefore) && createdWithin(createdAfter?.getTime(), createdBefore?.getTime()),
    taskIds && `WorkflowId IN (${list(taskIds)})`,
  );
}

/**
 * Tasks created from one moment on and before another, in ms since 1970. Later runs of a task say when it was created;
 * a first run begins then.
 */
export function createdWithin(fromMs: number | undefined, beforeMs: number | undefined): string {
  const within = (attribute: string) =>
    and(
      fromMs !== undefined && `${attribute} >= ${moment(fromMs)}`,
      beforeMs !== undefined && `${attribute} < ${moment(beforeMs)}`,
    );
  return `(${within('TaskCreateTime')} OR (TaskCreateTime IS NULL AND ${within('StartTime')}))`;
}

export function and(...conditions: (string | false | null | undefined)[]): string {
  return conditions.filter((condition) => typeof condition === 'string').join(' AND ');
}

export function list(texts: readonly string[]): string {
  return texts.map(quote).join(', ');
}

function moment(ms: number): string {
  return quote(new Date(ms).toISOString());
}

/** A text as a literal of the query language, which is MySQL's: a backslash escapes, a quote ends. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function badField(path: string, message: string): ReembedError {
  return new ReembedError('InvalidInput', `${path}: ${message}`, { issues: [{ path, message }] });
}
