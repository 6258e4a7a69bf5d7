import { z } from 'zod';
import { NAMED_MODEL } from './provider-models.ts';

const usd = z.number().positive().max(1_000_000_000).describe('US dollars.');
const whole = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** How much a reindex may spend on its model. */
export const budgetSchema = z
  .strictObject({
    usd: usd.optional(),
    tokens: whole.optional().describe('Tokens, as the provider counts them.'),
    calls: whole.optional().describe('Calls of the model.'),
  })
  .refine((budget) => Object.values(budget).some((value) => value !== undefined), 'must name at least one limit')
  .meta({ id: 'Budget', examples: [{ usd: 20 }, { tokens: 5_000_000, calls: 100_000 }] });
export type Budget = z.output<typeof budgetSchema>;

/** Budgets per day (UTC), by `provider/name`, of all reindexes together. */
export const modelBudgetsSchema = z.record(z.string().regex(NAMED_MODEL), budgetSchema);
export type ModelBudgets = z.output<typeof modelBudgetsSchema>;

export const BUDGET_UNITS = ['usd', 'tokens', 'calls'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];

/** What a reindex has used of its model so far, over all workers, attempts and forwards. */
export interface Usage {
  calls: number;
  tokens: number;
  /** The part of `tokens` that was estimated, because the provider does not say how many it counted. */
  estimatedTokens: number;
  /** Null if the price of the model is unknown. */
  usd: number | null;
  /** Texts for which the model was not asked: their vectors were stored. Absent before it was counted. */
  reused?: number;
  /** Texts that the model did not read to their end, and that were split again; absent if there were none. */
  truncated?: number;
  /** The limits of the reindex. */
  budget: Budget;
}

const digits = new Intl.NumberFormat('en-US', { maximumFractionDigits: 4 });

/** Formats an amount without its unit, such as `1,200`, or money with its sign, such as `$0.5`. */
export function amountText(value: number, unit: BudgetUnit): string {
  return `${unit === 'usd' ? '$' : ''}${digits.format(value)}`;
}

/** Formats what was used of a limit, if there is one, such as `1,200 of 5,000 tokens` or `$0.5`. */
export function usedText(used: number, limit: number | undefined, unit: BudgetUnit): string {
  const of = limit === undefined ? '' : ` of ${amountText(limit, unit)}`;
  return `${amountText(used, unit)}${of}${unit === 'usd' ? '' : ` ${unit}`}`;
}

/** With fewer copied objects than this, a forecast would mostly count calls whose objects are not counted yet. */
const MIN_COPIED = 1_000;

/**
 * Extrapolates what a reindex will have used of a unit when all its objects are copied, from those that are; null if
 * too few are, or the price is unknown.
 */
export function forecastOf(used: number | null, { done, total }: { done: number; total: number }): number | null {
  if (used === null || done > total || total === 0) return null;
  return done === total || done >= MIN_COPIED ? (used * total) / done : null;
}
