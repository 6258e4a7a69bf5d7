import { z } from 'zod';
import { countQuery, flagQuery } from '../../contract/bodies.ts';
import { ReembedError } from '../../contract/errors.ts';
import { nameSchema } from '../../contract/indexes.ts';
import { LIMITS } from '../../contract/limits.ts';
import { onReindexSchema, taskIdSchema, taskStatusSchema, taskTypeSchema } from '../../contract/tasks.ts';

/** The parameters of the calls, as they are written in a query string. */

const flag = flagQuery.optional();

const offset = z
  .string()
  .regex(/^\d{1,7}$/, 'must be a whole number')
  .transform(Number)
  .default(0)
  .meta({ type: 'integer', minimum: 0, default: 0 });

/** Ids of tasks that exist may be longer than those that one may give. */
const anyTaskId = z.string().min(1).max(1_000).optional();

export const taskIdQuery = z.strictObject({
  taskId: anyTaskId.describe('The id of the task.'),
  task_id: anyTaskId.describe('The same as `taskId`.'),
});

export function taskIdOf(query: { taskId?: string | undefined; task_id?: string | undefined }): string {
  const taskId = query.taskId ?? query.task_id;
  if (taskId !== undefined) return taskId;
  throw new ReembedError('InvalidInput', 'taskId is missing', {
    issues: [{ path: 'query.taskId', message: 'needed: the id of the task' }],
  });
}

export const reasonQuery = taskIdQuery.extend({ reason: z.string().max(1_000).optional() });

export const restartQuery = taskIdQuery.extend({
  force: flag.describe('Also a task that is exhausted or ignored.'),
});

export const throttleQuery = taskIdQuery.extend({
  ratePerSecond: z
    .union([z.literal('none').transform(() => null), z.coerce.number().positive().max(1_000_000)], {
      error: 'must be a number above 0, or none',
    })
    .describe('Most objects copied in a second; `none` for no limit.'),
});

export const listQuery = z.strictObject({
  status: taskStatusSchema.optional(),
  index: nameSchema.optional(),
  parentId: z.string().min(1).max(1_000).optional().describe('Only the children of this task.'),
  offset,
  limit: countQuery(LIMITS.listLimit, 50),
  cursor: z.string().max(10_000).optional(),
});

export const typedListQuery = listQuery.extend({
  type: taskTypeSchema.optional().describe('All but `reindex-slice` if not given.'),
});

export const failedItemsQuery = taskIdQuery.extend({
  limit: countQuery(),
  cursor: z.string().max(10_000).optional(),
});

export const LONGEST_WAIT_SECONDS = 600;

export const runQuery = z.strictObject({
  wait: flag.describe('Answer at the end of the task, or with 202 when the time is out.'),
  timeout: z.coerce.number().min(0).max(LONGEST_WAIT_SECONDS).default(60).describe('Seconds to wait at most.'),
  ignoreLock: flag.describe('End the task of the same id first, if there is one, whatever its input.'),
});

/** What a JSON body tells in its fields, for a body of lines. */
export const linesQuery = runQuery
  .extend({
    index: nameSchema,
    taskId: taskIdSchema.optional(),
    task_id: taskIdSchema.optional(),
    onReindex: onReindexSchema.default('forward'),
    maxAttempts: countQuery(100, 3),
  })
  .describe('For NDJSON bodies.');

export const upsertLinesQuery = linesQuery.extend({ ignoreFailedItems: flag.default(true) });
