import { z } from 'zod';
import { durationSchema } from './duration-schema.ts';
import { durationMs } from './durations.ts';
import { evaluationSettings, type Verdict } from './evaluation.ts';

const MAX_DAYS = 90;

const personSettings = {
  timeout: durationSchema
    .refine((given) => {
      const ms = durationMs(given);
      return ms >= 1_000 && ms <= MAX_DAYS * 86_400_000;
    }, `from 1s to ${MAX_DAYS}d`)
    .optional()
    .describe(`Time to decide, at most ${MAX_DAYS} days; default: no limit.`),
  onTimeout: z
    .enum(['reject', 'approve'])
    .default('reject')
    .describe('The decision if nobody decides within `timeout`.'),
  onReject: z.enum(['keep', 'delete']).default('keep').describe('What happens to the new index after a rejection.'),
};

/** Otherwise someone would rely on a switch that never comes. */
const decidesInTime = ({ timeout, onTimeout }: { timeout?: unknown; onTimeout: Decision }) =>
  timeout !== undefined || onTimeout === 'reject';
const NEEDS_TIMEOUT = { path: ['onTimeout'], message: 'needs `timeout`, after which it decides' };

const manualSchema = z.strictObject(personSettings).refine(decidesInTime, NEEDS_TIMEOUT);

/** A query set that decides, or whose verdict a person decides by. */
const evaluatedSchema = z
  .strictObject({
    ...evaluationSettings,
    onGo: z
      .enum(['approve', 'wait'])
      .default('approve')
      .describe('Whether the verdict `go` approves, or a person decides.'),
    onNoGo: z
      .enum(['reject', 'wait'])
      .default('reject')
      .describe('Whether the verdict `no-go` rejects, or a person decides. `inconclusive` always waits for a person.'),
    ...personSettings,
  })
  .refine(decidesInTime, NEEDS_TIMEOUT);
export type ApproveByEvaluation = z.output<typeof evaluatedSchema>;

/** Who decides whether a reindex switches its alias. */
export const approveSchema = z
  .union([z.enum(['auto', 'manual']), evaluatedSchema, manualSchema], {
    error: 'auto, manual, or an object with querySet, or with timeout, onTimeout and onReject',
  })
  .describe(
    '`auto`: switch when the new index is complete and verified. `manual`, or an object: wait then until someone ' +
      'approves or rejects. With `querySet`, its queries run on the source (left) and the new index (right) first: ' +
      'the verdict `go` approves and `no-go` rejects, unless a person decides by it. The new index is kept current until ' +
      'the decision.',
  );
export type Approve = z.output<typeof approveSchema>;

/** Returns the settings of the evaluation that decides; undefined if there is none. */
export function evaluationOf(approve: Approve): ApproveByEvaluation | undefined {
  return typeof approve === 'object' && 'querySet' in approve ? approve : undefined;
}

export type Decision = 'approve' | 'reject';

/** State of an approval, in `data.approval` of the tracker. */
export interface Approval {
  /** Since when the new index is complete and waits for the decision. */
  since: string;
  /** When `onTimeout` decides; null for never. */
  deadline: string | null;
  /** Null until someone decides, or the deadline passes. */
  decision: {
    kind: Decision;
    by: string | null;
    reason: string | null;
    time: string;
    isTimeout: boolean;
    isVerdict: boolean;
  } | null;
  /** What the query set says, if one decides; null until then. The report is that of the task. */
  evaluation?: { querySet: string; verdict: Verdict | null; why: string | null };
}

/** Returns the approval in the `data` of a tracker; undefined if the reindex needs none, or not yet. */
export function approvalOf(data: Record<string, unknown>): Approval | undefined {
  return data.approval as Approval | undefined;
}
