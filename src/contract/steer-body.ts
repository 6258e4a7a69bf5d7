import { z } from 'zod';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { TASK_STATUSES } from './status.ts';
import { momentSchema, taskFields } from './task-bodies.ts';
import { plainText } from './texts.ts';

/** Bulk steering: steers many tasks at once and is itself a task. */

export const STEER_ACTIONS = ['cancel', 'restart', 'pause', 'resume', 'ignore'] as const;
export type SteerAction = (typeof STEER_ACTIONS)[number];

/** Creates the filter, which may name these types. */
function createFilterSchema<const T extends readonly [string, ...string[]]>(types: T) {
  return z
    .strictObject({
      types: z.array(z.enum(types)).min(1).max(types.length).optional().describe('Any of these types; default: all.'),
      statuses: z.array(z.enum(TASK_STATUSES)).min(1).max(20).optional().describe('Any of these statuses.'),
      index: nameSchema.optional().describe('Tasks on this index, or started with this alias.'),
      open: z
        .boolean()
        .optional()
        .describe(
          'True: tasks that have not ended, so failed ones that are tried again; false: tasks that have ended.',
        ),
      parentId: plainText(1_000).min(1).optional().describe('The children of this task.'),
      createdAfter: momentSchema.optional().describe('Tasks created at this time or later.'),
      createdBefore: momentSchema.optional().describe('Tasks created before this time.'),
      taskIds: z.array(plainText(1_000).min(1)).min(1).max(LIMITS.listLimit).optional().describe('Any of these ids.'),
    })
    .refine((filter) => Object.values(filter).some((condition) => condition !== undefined), {
      error:
        'needs at least one condition: types, statuses, index, open, parentId, createdAfter, createdBefore or taskIds',
    })
    .meta({
      description: 'Selects the tasks that match all conditions; at least one condition is required.',
      minProperties: 1,
    });
}

/** Creates the body of a steering task whose filter may name these types. */
export function createSteerSchema<const T extends readonly [string, ...string[]]>(types: T) {
  return z
    .strictObject({
      ...taskFields,
      action: z.enum(STEER_ACTIONS).describe('The action applied to each task.'),
      filter: createFilterSchema(types),
      force: z.boolean().optional().describe('With `restart`: also restart exhausted and ignored tasks.'),
      reason: plainText(1_000).optional().describe('With `cancel` and `ignore`: stored with each task.'),
      dryRun: z.boolean().default(false).describe('Change nothing; the results show what would be done.'),
    })
    .superRefine(({ action, force, reason }, ctx) => {
      if (force !== undefined && action !== 'restart') {
        ctx.addIssue({ code: 'custom', path: ['force'], message: 'is only allowed with restart' });
      }
      if (reason !== undefined && action !== 'cancel' && action !== 'ignore') {
        ctx.addIssue({ code: 'custom', path: ['reason'], message: 'is only allowed with cancel and ignore' });
      }
    })
    .meta({
      id: 'Steer',
      examples: [{ action: 'restart', filter: { types: ['upsert'], statuses: ['failed', 'exhausted'] }, force: true }],
    });
}
