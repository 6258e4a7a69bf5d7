import { z } from 'zod';
import { sourceNameSchema } from './sources.ts';
import { taskFields } from './task-bodies.ts';

/** Body of the task that syncs all rows of a source. */
export const syncSchema = z
  .strictObject({
    ...taskFields,
    source: sourceNameSchema.describe('Name of the source.'),
    ratePerSecond: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .describe('Maximum rows per second; default: no limit.'),
  })
  .meta({ id: 'Sync', examples: [{ source: 'articles' }] });
export type SyncBody = z.output<typeof syncSchema>;
export type SyncRequest = z.input<typeof syncSchema>;
