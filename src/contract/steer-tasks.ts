import { z } from 'zod';
import { STEER_ACTIONS, type SteerAction } from './steer-body.ts';
import { TASKS, taskTypeSchema } from './task-types.ts';
import { taskStatusSchema } from './tasks.ts';

export { STEER_ACTIONS, type SteerAction } from './steer-body.ts';

export const steerSchema = TASKS.steer.body;
export type SteerBody = z.output<typeof steerSchema>;
export type SteerRequest = z.input<typeof steerSchema>;
export type SteerFilter = SteerBody['filter'];

/** The outcome of each action. */
export const ACHIEVED = {
  cancel: 'canceled',
  restart: 'restarted',
  pause: 'paused',
  resume: 'resumed',
  ignore: 'ignored',
} as const satisfies Record<SteerAction, string>;

export const STEER_OUTCOMES = [
  ...STEER_ACTIONS.map((action) => ACHIEVED[action]),
  /** It was notified and has not acted yet. */
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
    type: taskTypeSchema.nullable().describe('Null for an id that was not found.'),
    status: taskStatusSchema.nullable().describe('Status when the tasks were listed.'),
    outcome: z
      .enum(STEER_OUTCOMES)
      .nullable()
      .describe('What was done; `asked`: notified, but not done yet; `would-…`: in a dry run; null before its turn.'),
    reason: z.string().nullable().describe('The error type of a failure.'),
    detail: z.string().describe('Why nothing was done, or what went wrong.'),
  })
  .meta({ id: 'SteerResult' });
export type SteerResult = z.output<typeof steerResultSchema>;

export const steerResultsSchema = z
  .object({
    results: z.array(steerResultSchema),
    total: z.int(),
    cursor: z.string().nullable().describe('Cursor of the next page; null after the last page.'),
  })
  .meta({ id: 'SteerResults' });
export type SteerResults = z.output<typeof steerResultsSchema>;
