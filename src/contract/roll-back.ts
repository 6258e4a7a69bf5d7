import { z } from 'zod';

const written = {
  written: z.int().describe('Objects written to the index that served, since the switch before.'),
  deleted: z.int().describe('Objects deleted in it since then.'),
  isMore: z.boolean().describe('There were more: only this many changes are counted.'),
};

/** A roll back that has happened. */
export const rollBackReportSchema = z.object({
  from: z.string().describe('The index that served before. It is kept current since.'),
  to: z.string().describe('The index that serves since.'),
  aliases: z.array(z.string()).describe('The aliases that moved, in one transaction.'),
  time: z.string(),
  ...written,
  by: z.string().nullable().describe('Who asked; null if unknown.'),
  reason: z.string().nullable(),
});
export type RollBackReport = z.output<typeof rollBackReportSchema>;

/** What a roll back of a reindex would do now. */
export const rollBackSchema = z
  .object({
    taskId: z.string(),
    keeperId: z.string().describe('The task that keeps the other index current.'),
    from: z.string().describe('The index that serves now.'),
    to: z.string().describe('The index that is kept current, which would serve after a roll back.'),
    aliases: z.array(z.string()).describe('The aliases that would move.'),
    since: z.string().describe('The time of the last switch, by the reindex or by a roll back.'),
    ...written,
    last: rollBackReportSchema.nullable().describe('The last roll back; null if there was none.'),
  })
  .meta({ id: 'RollBack', description: 'The two indexes of a reindex after its switch.' });
export type RollBack = z.output<typeof rollBackSchema>;

/** Max. aliases that one roll back moves. */
export const MAX_MOVED_ALIASES = 100;

/** The argument of the update of the task that keeps an index current. */
export interface RollBackRequest {
  /** Number of the index that shall serve. */
  toNo: number;
  by: string | null;
  reason: string | null;
}

/** Why a reindex cannot be rolled back. */
export const ROLL_BACK_REFUSALS = {
  notSwitched: 'not-switched',
  notKeptCurrent: 'not-kept-current',
  noAlias: 'no-alias',
} as const;
