import { z } from 'zod';
import { auditSchema } from './audit.ts';
import type { ErrorType } from './errors.ts';
import { vectorIndexTaskSchema } from './index-patch.ts';
import { namedJobRunSchema } from './jobs.ts';
import type { Role } from './roles.ts';
import { createSteerSchema } from './steer-body.ts';
import { syncSchema } from './sync-body.ts';
import { deleteIndexSchema, deleteSchema, evaluateSchema, reindexSchema, upsertSchema } from './task-bodies.ts';

/**
 * The types of tasks, as data. From this table come the routes with their access and OpenAPI document, the start of the
 * workflow, the checks of an input that a person wrote, lists and metrics. A new type is a row here, and a workflow in
 * `src/workflows`.
 */

/** Temporal may reject longer summaries. */
const SUMMARY_CHARS = 100;

interface TaskTypeFacts {
  /** Name of its workflow in Temporal. */
  workflow: string;
  /** What a caller sends; null for a type that only another task starts, and that lists show only on request. */
  body: z.ZodType | null;
  /** What all tasks of this type are, for the OpenAPI document. */
  group: string;
  /** What a start of this type does, for the OpenAPI document. */
  title: string;
  /** One line about a task, for the Temporal UI. `items`: how many it has, if it has any. */
  summary: (input: Readonly<Record<string, unknown>>, items: number | undefined) => string;
  /** Lowest role that may start a task; default: `operate`. */
  role?: Role;
  /** For a body with a list of items: the field, and an example of the items as NDJSON, in which they may come too. */
  items?: { field: string; example: string };
  /** Errors of a start, other than bad input and another task with the same id. */
  errors?: readonly ErrorType[];
  /** Single items can fail, and be retried without the others. */
  hasFailedItems?: boolean;
}

/** Types that a steering task can steer. It cannot steer others of its type; a reindex steers its own slices. */
const STEERABLE = {
  upsert: {
    workflow: 'upsert',
    body: upsertSchema,
    group: 'Writes of objects.',
    title: 'Embed objects and write them to an index',
    summary: ({ index }, items) => `upsert ${items} objects into ${index}`,
    items: { field: 'items', example: '{"id":"a","payload":"a lion sleeps"}\n{"id":"b","payload":"a ship at sea"}\n' },
    errors: ['IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'],
    hasFailedItems: true,
  },
  delete: {
    workflow: 'delete',
    body: deleteSchema,
    group: 'Deletions of objects.',
    title: 'Delete objects from an index',
    summary: ({ index }, items) => `delete ${items} objects from ${index}`,
    items: { field: 'ids', example: '"a"\n{"id":"b"}\n' },
    errors: ['IndexNotFound', 'IndexDeleting', 'DatabaseUnavailable'],
    hasFailedItems: true,
  },
  reindex: {
    workflow: 'reindex',
    body: reindexSchema,
    group: 'Indexes being rebuilt while writes continue.',
    title: 'Rebuild an index, with another model or settings, while writes continue',
    summary: ({ source, dest }) => `rebuild ${source} as ${dest}`,
    errors: ['IndexNotFound', 'IndexExists', 'NameTaken', 'QuerySetNotFound', 'DatabaseUnavailable'],
    hasFailedItems: true,
  },
  'delete-index': {
    workflow: 'deleteIndex',
    body: deleteIndexSchema,
    group: 'Deletions of whole indexes.',
    title: 'Delete an index, now or later',
    summary: ({ index }) => `delete the index ${index}`,
    role: 'admin',
    errors: ['IndexNotFound', 'DatabaseUnavailable'],
  },
  evaluate: {
    workflow: 'evaluateIndexes',
    body: evaluateSchema,
    group: 'Comparisons of two indexes by a query set.',
    title: 'Compare what a query set finds on two indexes',
    summary: ({ left, right }) => `evaluate ${right} against ${left}`,
    errors: ['IndexNotFound', 'IndexDeleting', 'QuerySetNotFound', 'DatabaseUnavailable'],
  },
  audit: {
    workflow: 'auditIndex',
    body: auditSchema,
    group: 'Looks for what is broken inside an index, or differs from the table that it follows.',
    title: 'Look for broken objects in an index, or for differences from the table of a source, and repair them',
    summary: ({ index, source, repair }) =>
      `${repair === true ? 'audit and repair' : 'audit'} the ${source === undefined ? `index ${index}` : `source ${source}`}`,
    errors: ['IndexNotFound', 'IndexDeleting', 'SourceNotFound', 'DatabaseUnavailable'],
    hasFailedItems: true,
  },
  'vector-index': {
    workflow: 'changeVectorIndex',
    body: vectorIndexTaskSchema,
    group: 'Changes of the vector index of an index.',
    title: 'Change how the vectors of an index are indexed, while it is used',
    summary: ({ index }) => `change the vector index of ${index}`,
    role: 'admin',
    errors: ['IndexNotFound', 'IndexDeleting', 'IndexLocked', 'DatabaseUnavailable'],
  },
  sync: {
    workflow: 'syncSource',
    body: syncSchema,
    group: 'Loads of the tables that sources follow.',
    title: 'Make the index of a source equal to its table',
    summary: ({ source }) => `sync all rows of the source ${source}`,
    errors: ['SourceNotFound', 'DatabaseUnavailable'],
    hasFailedItems: true,
  },
  job: {
    workflow: 'job',
    body: namedJobRunSchema,
    group: "Runs of the user's own tasks.",
    title: 'Run a job by its name',
    summary: ({ name }) => `job ${name}`,
    errors: ['JobUnknown'],
  },
} as const satisfies Record<string, TaskTypeFacts>;

export const STEERABLE_TYPES = namesOf(STEERABLE);

export const TASKS = {
  ...STEERABLE,
  'reindex-slice': {
    workflow: 'reindexSlice',
    body: null,
    group: 'The slices that a reindex copies its source in.',
    title: 'Copy a slice of a source',
    summary: ({ parentId }) => `a slice of ${parentId}`,
    hasFailedItems: true,
  },
  steer: {
    workflow: 'steerTasks',
    body: createSteerSchema(STEERABLE_TYPES),
    group: 'Calls that steer many tasks at once.',
    title: 'Cancel, restart, pause, resume or ignore many tasks at once',
    summary: ({ action, filter }) => `${action} the tasks that match ${JSON.stringify(filter)}`.slice(0, SUMMARY_CHARS),
  },
} as const satisfies Record<string, TaskTypeFacts>;

export type TaskType = keyof typeof TASKS;
/** Types of tasks that a caller can start. */
export type StartableType = {
  [T in TaskType]: (typeof TASKS)[T]['body'] extends null ? never : T;
}[TaskType];

export const TASK_TYPES = namesOf(TASKS);
export const taskTypeSchema = z.enum(TASK_TYPES);

/** Returns what the table says of a type. */
export const factsOf = (type: TaskType): TaskTypeFacts => TASKS[type];

export const isStartable = (type: TaskType): type is StartableType => factsOf(type).body !== null;

const TYPE_OF = new Map(TASK_TYPES.map((type) => [factsOf(type).workflow, type]));

/** Returns the type of task that a workflow type runs; undefined for workflows of other products. */
export function typeOfWorkflow(workflowType: string): TaskType | undefined {
  return TYPE_OF.get(workflowType);
}

function namesOf<T extends object>(table: T): [keyof T & string, ...(keyof T & string)[]] {
  return Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];
}
