import { z } from 'zod';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { momentSchema, TASK_TYPES, taskIdSchema, taskStatusSchema, taskTypeSchema } from './tasks.ts';
import { plainText } from './texts.ts';

/** Steering many tasks at once, as a task of its own. */

export const STEER_ACTIONS = ['cancel', 'restart', 'pause', 'resume', 'ignore'] as const;
export type SteerAction = (typeof STEER_ACTIONS)[number];

/** What a filter may name. A steering task steers none of its kind; slices are left to their reindex. */
export const STEERABLE_TYPES = TASK_TYPES.filter((type) => type !== 'steer' && type !== 'reindex-slice');

export const steerFilterSchema = z
  .strictObject({
    types: z
      .array(z.enum(STEERABLE_TYPES))
      .min(1)
      .max(TASK_TYPES.length)
      .optional()
      .describe('Any of these; all if not given.'),
    statuses: z.array(taskStatusSchema).min(1).max(20).optional().describe('Any of these.'),
    index: nameSchema.optional().describe('Those on this index, or on the alias they were given.'),
    parentId: plainText(1_000).min(1).optional().describe('The children of this task.'),
    createdAfter: momentSchema.optional().describe('Those created at this moment or later.'),
    createdBefore: momentSchema.optional().describe('Those created before this moment.'),
    taskIds: z.array(plainText(1_000).min(1)).min(1).max(LIMITS.listLimit).optional().describe('Any of these.'),
  })
  .refine((filter) => Object.values(filter).some((condition) => condition !== undefined), {
    error: 'needs at least one condition: types, statuses, index, parentId, createdAfter, createdBefore or taskIds',
  })
  .meta({
    description: 'The tasks that fit all of its conditions are steered: at least one must be given.',
    minProperties: 1,
  });
export type SteerFilter = z.output<typeof steerFilterSchema>;

export const steerSchema = z
  .strictObject({
    taskId: taskIdSchema
      .optional()
      .describe('Names the task: the same id with the same input is the same task. Made up if not given.'),
    maxAttempts: z.int().min(1).max(100).default(3).describe('Attempts before the task is exhausted.'),
    action: z.enum(STEER_ACTIONS).describe('What is done to each task.'),
    filter: steerFilterSchema,
    force: z.boolean().optional().describe('With `restart`: also tasks that are exhausted or ignored.'),
    reason: plainText(1_000).optional().describe('With `cancel` and `ignore`: kept with each task.'),
    dryRun: z.boolean().default(false).describe('Change nothing; the results tell what would be done.'),
  })
  .superRefine(({ action, force, reason }, ctx) => {
    if (force !== undefined && action !== 'restart') {
      ctx.addIssue({ code: 'custom', path: ['force'], message: 'only restart has it' });
    }
    if (reason !== undefined && action !== 'cancel' && action !== 'ignore') {
      ctx.addIssue({ code: 'custom', path: ['reason'], message: 'only cancel and ignore have it' });
    }
  });
export type SteerBody = z.output<typeof steerSchema>;
export type SteerRequest = z.input<typeof steerSchema>;

/** What each action comes to. */
export const ACHIEVED = {
  cancel: 'canceled',
  restart: 'restarted',
  pause: 'paused',
  resume: 'resumed',
  ignore: 'ignored',
} as const satisfies Record<SteerAction, string>;

export const STEER_OUTCOMES = [
  ...STEER_ACTIONS.map((action) => ACHIEVED[action]),
  /** It was told, and has not done it yet. */
  'asked',
  ...STEER_ACTIONS.map((action) => `would-${action}` as const),
  /** The detail says why. */
  'nothing',
  'failed',
] as const;
export type SteerOutcome = (typeof STEER_OUTCOMES)[number];

export const steerResultSchema = z
  .object({
    taskId: z.string(),
    type: taskTypeSchema.nullable().describe('Null for an id that no list had.'),
    status: taskStatusSchema.nullable().describe('When the tasks were looked up.'),
    outcome: z
      .enum(STEER_OUTCOMES)
      .nullable()
      .describe(
        'What was done to it; `asked`: it was told, and had not done it yet; `would-…`: of a dry run; null while its turn has not come.',
      ),
    reason: z.string().nullable().describe('Of a failure: the type of the error.'),
    detail: z.string().describe('Why nothing was done, or what went wrong.'),
  })
  .meta({ id: 'SteerResult' });
export type SteerResult = z.output<typeof steerResultSchema>;

export const steerResultsSchema = z
  .object({
    results: z.array(steerResultSchema),
    total: z.int(),
    cursor: z.string().nullable().describe('Of the next page; null after the last one.'),
  })
  .meta({ id: 'SteerResults' });
export type SteerResults = z.output<typeof steerResultsSchema>;
