import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { TASK_STATUSES } from './status.ts';

/** The token of an accepted write: the id of its task. */
export const writeTokenSchema = z
  .string()
  .min(1)
  .max(LIMITS.taskIdChars)
  .describe('The token of a write: the `id` of the upsert or delete that was accepted.')
  .meta({ examples: ['my-task'] });

export const writeStateSchema = z
  .object({
    token: z.string(),
    index: z.string().describe('The index that serves now.'),
    searchable: z
      .boolean()
      .describe(
        'True: searches find the whole write, or what was written after it. False: not yet, or never if `ended` is true.',
      ),
    ended: z.boolean().describe('False: the write goes on, so ask again.'),
    status: z.enum(TASK_STATUSES),
    failed: z.int().describe('Items that could not be embedded or written; searches do not find them.'),
    detail: z.string().describe('The result or the current state of the write, in words.'),
  })
  .meta({ id: 'WriteState' });
export type WriteState = z.output<typeof writeStateSchema>;
