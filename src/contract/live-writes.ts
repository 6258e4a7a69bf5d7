import { z } from 'zod';

/** Max. objects that are counted: looking each up in the new index takes some 100 ms. */
export const MAX_LIVE_WRITES = 10_000;

export const liveWritesSchema = z
  .object({
    taskId: z.string(),
    since: z
      .string()
      .nullable()
      .describe('When the attempt of the reindex began that runs; null if none runs, and then the counts are 0.'),
    written: z.int().describe('Objects of the source that users have written since and not deleted.'),
    deleted: z.int().describe('Objects of the source that users have deleted since.'),
    arrived: z
      .int()
      .describe('Of both, those that the new index has already. The others are copied before the switch.'),
    isMore: z.boolean().describe(`There are more than ${MAX_LIVE_WRITES} of them: only the first ones are counted.`),
  })
  .meta({ id: 'LiveWrites', description: 'What users have written while a reindex runs.' });
export type LiveWrites = z.output<typeof liveWritesSchema>;
