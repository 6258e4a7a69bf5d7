import { z } from 'zod';

/** What a provider allows of one model, by all workers and APIs together. */
export const modelLimitSchema = z
  .strictObject({
    requestsPerMinute: z.number().positive().optional(),
    tokensPerMinute: z.number().positive().optional(),
  })
  .refine((limit) => Object.values(limit).some((value) => value !== undefined), 'names no limit');
export type ModelLimit = z.output<typeof modelLimitSchema>;

/** The limits by `provider/name`. */
export const modelLimitsSchema = z.record(z.string().regex(/^(openai|custom)\/.+/), modelLimitSchema);
export type ModelLimits = z.output<typeof modelLimitsSchema>;

/** What one call takes of a model's limits, as the time that must pass until as much is there again. */
export interface CallCost {
  requestMs: number;
  tokensMs: number;
  /** So much time may be saved up while nobody calls. */
  burstMs: number;
}

const MINUTE_MS = 60_000;
/** A tenth of a limit at once after a pause; the rest evenly. Together never more than the limit in any minute. */
const BURST_MS = MINUTE_MS / 10;
const EVENLY = 0.9;

/** `tokens` are estimated: their count is known only to the provider. */
export function costOf({ requestsPerMinute, tokensPerMinute }: ModelLimit, tokens: number): CallCost {
  const perMinute = (limit: number | undefined) => (limit === undefined ? 0 : MINUTE_MS / (EVENLY * limit));
  return {
    requestMs: perMinute(requestsPerMinute),
    tokensMs: perMinute(tokensPerMinute) * tokens,
    burstMs: BURST_MS,
  };
}
