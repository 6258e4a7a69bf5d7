import { z } from 'zod';
import { invalidField } from '../../contract/errors.ts';
import { countQuery, flagQuery, numberQuery } from '../../contract/http.ts';
import { nameSchema } from '../../contract/indexes.ts';
import { LIMITS } from '../../contract/limits.ts';
import { SHARE_RANGE } from '../../contract/read-shares.ts';
import { momentSchema, onReindexSchema, taskIdSchema } from '../../contract/task-bodies.ts';
import { type TaskType, taskTypeSchema } from '../../contract/task-types.ts';
import { taskStatusSchema } from '../../contract/tasks.ts';
import type { TaskFilter } from '../../temporal/index.ts';

/** Parameters of the calls, as written in a query string. */

const flag = flagQuery.optional();

const offset = z
  .string()
  .regex(/^[0-9]{1,7}$/, 'must be a whole number')
  .transform(Number)
  .default(0)
  .describe('Tasks to leave out before the first one.')
  .meta({ type: 'integer', minimum: 0, maximum: 9_999_999, default: 0, pattern: undefined, examples: [0] });

/** Ids of existing tasks may be longer than ids that a caller may choose. */
const anyTaskId = z.string().min(1).max(LIMITS.workflowIdChars).optional();

export const taskIdQuery = z.strictObject({
  // OpenAPI cannot express "one of two", and the document should show what to send, not what is tolerated.
  taskId: anyTaskId.describe('The id of the task.').meta({ examples: ['rebuild-1'], param: { required: true } }),
  task_id: anyTaskId.describe('The same as `taskId`, which is then not needed.').meta({ examples: ['rebuild-1'] }),
});

const reason = z
  .string()
  .max(1_000)
  .optional()
  .describe('For the tracker, in words.')
  .meta({ examples: ['no longer needed'] });

export const cursorQuery = z
  .string()
  .max(6_000)
  .regex(/^[A-Za-z0-9_-]*$/, 'must be the cursor of an earlier page')
  .optional()
  .describe('Cursor from an earlier answer to the same question.');

interface NamedTask {
  taskId?: string | undefined;
  task_id?: string | undefined;
}

/** Returns the id that a query gives by either name, if it does. Error: `InvalidInput` for two ids. */
export function givenTaskId({ taskId, task_id }: NamedTask): string | undefined {
  if (taskId === undefined || task_id === undefined || taskId === task_id) return taskId ?? task_id;
  throw invalidField('query.task_id', 'must not differ from taskId, which means the same');
}

export function taskIdOf(query: NamedTask): string {
  const taskId = givenTaskId(query);
  if (taskId !== undefined) return taskId;
  throw invalidField('query.taskId', 'needed: the id of the task', 'taskId is missing');
}

export const reasonQuery = taskIdQuery.extend({ reason });

export const restartQuery = taskIdQuery.extend({
  force: flag.describe('Also a task that is exhausted or ignored.').meta({ examples: [false] }),
  onlyFailed: flag.describe('Of a task that has ended, only what is on its failed list.').meta({ examples: [false] }),
});

const MAX_USD = 1_000_000_000;

const limit = (schema: z.ZodType<number, number>, { kind, what }: { kind: 'number' | 'integer'; what: string }) =>
  z
    .union([z.literal('none').transform(() => null), numberQuery(schema)], { error: `must be ${what}, or none` })
    .optional()
    .meta({
      examples: [50],
      anyOf: [
        kind === 'number'
          ? { type: 'number', exclusiveMinimum: 0, maximum: MAX_USD }
          : { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
        { type: 'string', enum: ['none'] },
      ],
    });
const wholeLimit = () =>
  limit(z.int().min(1).max(Number.MAX_SAFE_INTEGER), { kind: 'integer', what: 'a whole number above 0' });

export const budgetQuery = taskIdQuery.extend({
  usd: limit(z.number().positive().max(MAX_USD), {
    kind: 'number',
    what: `a number above 0 and at most ${MAX_USD}`,
  }).describe('US dollars; `none` for no limit. Limits that are not given stay.'),
  tokens: wholeLimit().describe('Tokens; `none` for no limit.'),
  calls: wholeLimit().describe('Calls of the model; `none` for no limit.'),
});

export const throttleQuery = taskIdQuery.extend({
  ratePerSecond: z
    .union([z.literal('none').transform(() => null), numberQuery(z.number().positive().max(1_000_000))], {
      error: 'must be a number above 0 and at most 1000000, or none',
    })
    .describe('Most objects copied in a second; `none` for no limit.')
    .meta({
      examples: [50],
      anyOf: [
        { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
        { type: 'string', enum: ['none'] },
      ],
    }),
});

export const rollBackQuery = reasonQuery.extend({
  to: nameSchema
    .optional()
    .describe(
      'The index that shall serve, of the two of the reindex; default: the old one. If it serves already, nothing changes.',
    ),
});

const share = numberQuery(z.number().min(0, SHARE_RANGE).max(1, SHARE_RANGE))
  .optional()
  .meta({ type: 'number', minimum: 0, maximum: 1, pattern: undefined, examples: [0.05] });

export const readsQuery = taskIdQuery.extend({
  shadow: share.describe('Share of the searches that also run on the other index; 0 ends it. Default: as it is.'),
  canary: share.describe('Share of the searches that the new index answers; 0 ends it. Default: as it is.'),
});

const moment = momentSchema.transform((text) => new Date(text)).optional();

export const filterQuery = z.strictObject({
  status: taskStatusSchema
    .optional()
    .describe('Only those of this status.')
    .meta({ examples: ['processing'] }),
  index: nameSchema.optional().describe('Only those on this index, or on the alias they were given.'),
  open: flag
    .describe(
      'Only those that have not ended, or with `false` those that have: with `status=failed`, the ones that are tried again, or the ones that are not.',
    )
    .meta({ examples: [true] }),
  hasFailedItems: flag
    .describe('Only those with items that they could not write, or with `false` those without.')
    .meta({ examples: [true] }),
  parentId: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('Only the children of this task.')
    .meta({ examples: ['rebuild-1'] }),
  createdAfter: moment.describe('Only those created at this moment or later.'),
  createdBefore: moment.describe('Only those created before this moment.'),
});

const typed = {
  type: taskTypeSchema
    .optional()
    .describe('Only those of this type. Default: all but `reindex-slice`.')
    .meta({ examples: ['reindex'] }),
  without: taskTypeSchema
    .optional()
    .describe('Without those of this type, if `type` is not given.')
    .meta({ examples: ['steer'] }),
};

export const typedFilterQuery = filterQuery.extend(typed);

export const listQuery = filterQuery.extend({
  offset,
  limit: countQuery(LIMITS.listLimit, 50).describe('Most tasks in the answer.'),
  cursor: cursorQuery,
});

export const typedListQuery = listQuery.extend(typed);

/** Builds the filter of lists and counts from a query and the type of the router. */
export function filterOf(
  { type, status, ...filter }: z.output<typeof typedFilterQuery>,
  only: TaskType | undefined,
): TaskFilter {
  const shown = only ?? type;
  return { ...filter, types: shown && [shown], statuses: status && [status] };
}

export const failedItemsQuery = taskIdQuery.extend({
  limit: countQuery().describe('Most items in the answer.'),
  cursor: cursorQuery,
});

const MAX_WAIT_SECONDS = 600;

export const runQuery = z.strictObject({
  wait: flag.describe('Answer at the end of the task, or with 202 when the time is out.').meta({ examples: [true] }),
  timeout: numberQuery(z.number().min(0).max(MAX_WAIT_SECONDS))
    .default(60)
    .describe('With `wait`: seconds to wait at most.')
    .meta({
      type: 'number',
      minimum: 0,
      maximum: MAX_WAIT_SECONDS,
      default: 60,
      pattern: undefined,
      examples: [30],
    }),
  ignoreLock: flag
    .describe('End the task of the same id first, if there is one, whatever its input.')
    .meta({ examples: [false] }),
});

const FOR_LINES = 'With NDJSON bodies only';

/** Query parameters of an NDJSON body that replace the fields of a JSON body. */
export const linesQuery = runQuery
  .extend({
    index: nameSchema.describe(`${FOR_LINES}: needed there. Name of an index or an alias.`),
    taskId: taskIdSchema.optional().describe(`${FOR_LINES}: names the task, as \`taskId\` of a JSON body.`),
    task_id: taskIdSchema.optional().describe(`${FOR_LINES}: the same as \`taskId\`.`),
    onReindex: onReindexSchema
      .default('forward')
      .describe(`${FOR_LINES}, as the field of a JSON body.`)
      .meta({ examples: ['forward'] }),
    maxAttempts: countQuery(100, 3).describe(`${FOR_LINES}, as the field of a JSON body.`),
  })
  .describe('For NDJSON bodies.');

export const upsertLinesQuery = linesQuery.extend({
  ignoreFailedItems: flag
    .default(true)
    .describe(`${FOR_LINES}, as the field of a JSON body.`)
    .meta({ examples: [true] }),
});

export const runHeaders = z.object({
  'Ignore-Lock': z
    .enum(['true', 'false'])
    .optional()
    .describe('The same as the parameter `ignoreLock`, which goes before it.')
    .meta({ examples: ['false'] }),
});

export const eventsHeaders = z.object({
  'Last-Event-ID': z
    .string()
    .optional()
    .describe('The `id` of the last event seen, as a browser sends it: only what is newer is answered.')
    .meta({ examples: ['2026-01-31T12:00:00.000Z'] }),
});
