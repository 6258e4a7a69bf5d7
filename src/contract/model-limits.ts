import { z } from 'zod';
import { NAMED_MODEL } from './provider-models.ts';

/** Rate limits of a provider for one model, shared by all workers and APIs. */
export const modelLimitSchema = z
  .strictObject({
    requestsPerMinute: z.number().positive().optional(),
    tokensPerMinute: z.number().positive().optional(),
  })
  .refine((limit) => Object.values(limit).some((value) => value !== undefined), 'must name at least one limit');
export type ModelLimit = z.output<typeof modelLimitSchema>;

/** Limits by `provider/name`. */
export const modelLimitsSchema = z.record(z.string().regex(NAMED_MODEL), modelLimitSchema);
export type ModelLimits = z.output<typeof modelLimitsSchema>;

/** Cost of one call against a model's limits, as the time until that capacity is available again. */
export interface CallCost {
  requestMs: number;
  tokensMs: number;
  /** Maximum time that can be saved up while there are no calls. */
  burstMs: number;
}

const MINUTE_MS = 60_000;
/** A tenth of a limit at once after a pause, the rest evenly: never more than the limit in any minute. */
const BURST_MS = MINUTE_MS / 10;
const EVENLY = 0.9;

/** Returns the cost of one call; `tokens` is an estimate, since only the provider knows the count. */
export function costOf({ requestsPerMinute, tokensPerMinute }: ModelLimit, tokens: number): CallCost {
  const perMinute = (limit: number | undefined) => (limit === undefined ? 0 : MINUTE_MS / (EVENLY * limit));
  return {
    requestMs: perMinute(requestsPerMinute),
    tokensMs: perMinute(tokensPerMinute) * tokens,
    burstMs: BURST_MS,
  };
}
