import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { TASK_STATUSES } from './status.ts';

/** How the token of a transaction begins: ids of tasks have no such character. */
export const TRANSACTION_TOKEN = 'tx~';

/** Returns the number of a transaction and the mark of its database; undefined for the token of another write. */
export function readTransactionToken(token: string): { token: string; xid: string; mark: string } | undefined {
  const [, xid, mark] = /^tx~(\d{1,19})~([0-9a-f]{8})$/.exec(token) ?? [];
  return xid === undefined || mark === undefined ? undefined : { token, xid, mark };
}

/** The token of an accepted write: the id of its task, or what SQL said of a transaction. */
export const writeTokenSchema = z
  .string()
  .min(1)
  .max(LIMITS.taskIdChars)
  .describe(
    'The token of a write: the `id` of the upsert or delete that was accepted, or of a transaction on a followed table what `reembed.write_token()` returned in it.',
  )
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
    ended: z.boolean().describe('False: the write continues, so ask again.'),
    status: z.enum(TASK_STATUSES),
    failed: z.int().describe('Items that could not be embedded or written; searches do not find them.'),
    detail: z.string().describe('The result or the current state of the write, in words.'),
  })
  .meta({ id: 'WriteState' });
export type WriteState = z.output<typeof writeStateSchema>;
