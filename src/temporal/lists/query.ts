import { invalidField } from '../../contract/errors.ts';
import { nameSchema } from '../../contract/indexes.ts';
import type { TaskStatus } from '../../contract/status.ts';
import { factsOf, isStartable, TASK_TYPES, type TaskType } from '../../contract/task-types.ts';
import { statusCondition } from '../tasks/execution-status.ts';

export interface TaskFilter {
  /** Default: all types except slices of reindexes; with `parentId`, all types. */
  types?: readonly TaskType[];
  /** Type to leave out of the default of `types`. */
  without?: TaskType;
  statuses?: readonly TaskStatus[];
  /** Name of an index, or of the alias that the task was started with. */
  index?: string;
  parentId?: string;
  /** Name of a job's definition. */
  name?: string;
  /** True: only tasks that have not ended; false: only ones that have. */
  open?: boolean;
  /** Whether tasks have items that they could not write. */
  hasFailedItems?: boolean;
  /** Created at this moment or later. */
  createdAfter?: Date;
  /** Created before this moment. */
  createdBefore?: Date;
  taskIds?: readonly string[];
}

/**
 * Converts a filter to Temporal's query language. Excludes runs that continued as a new run, because they are not
 * separate tasks. Error: `InvalidInput` for an invalid index name.
 */
export function tasksQuery(filter: TaskFilter): string {
  return and(`ExecutionStatus != 'ContinuedAsNew'`, runsQuery(filter));
}

/** Like `tasksQuery`, but with all runs of a task, including those that continued as a new run. */
export function runsQuery(filter: TaskFilter): string {
  const { types, without, statuses, index, parentId, name, open, createdAfter, createdBefore, taskIds } = filter;
  const { hasFailedItems } = filter;
  // Checked before Temporal sees it: its SQLite store fails on a quote in the value of a list attribute, even escaped.
  if (index !== undefined && !nameSchema.safeParse(index).success)
    throw invalidField('index', 'must be the name of an index');
  const shown = types ?? TASK_TYPES.filter((type) => type !== without && (parentId !== undefined || isStartable(type)));
  return and(
    `WorkflowType IN (${list(shown.map((type) => factsOf(type).workflow))})`,
    statuses && `(${statuses.map(statusCondition).join(' OR ')})`,
    index !== undefined && `TaskIndex = ${quote(index)}`,
    name !== undefined && `JobName = ${quote(name)}`,
    open !== undefined && `ExecutionStatus ${open ? '=' : '!='} 'Running'`,
    hasFailedItems !== undefined &&
      (hasFailedItems ? 'TaskHasFailedItems = true' : '(TaskHasFailedItems IS NULL OR TaskHasFailedItems = false)'),
    // Temporal has no parent for a child that was restarted, and `TaskParent` is missing until a child has set it.
    parentId !== undefined && `(TaskParent = ${quote(parentId)} OR ParentWorkflowId = ${quote(parentId)})`,
    (createdAfter || createdBefore) && createdWithin(createdAfter?.getTime(), createdBefore?.getTime()),
    taskIds && `WorkflowId IN (${list(taskIds)})`,
  );
}

/**
 * Returns the condition for tasks created from `fromMs` until before `beforeMs`, in ms since 1970. Later runs of a task
 * have its creation time as an attribute; for a first run it is the start time.
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

/** Quotes a text for the query language, which is MySQL's: a backslash escapes, a quote ends. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
