import { BUDGET_UNITS, type Budget, type Usage, usedText } from '../../contract/budget.ts';
import { type Embedder, wrapEmbedder } from '../../contract/embedder.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { ModelConfig } from '../../contract/models.ts';
import { estimateTokens } from '../../models/estimate-tokens.ts';
import { isFree, priceOf } from '../../models/prices.ts';
import { readUsage, recordReused, recordUsage, type StoredUsage } from '../../store/usage.ts';
import type { ActivityDependencies } from '../dependencies.ts';

type Metering = Pick<ActivityDependencies, 'background' | 'settings'>;

const keyOf = ({ provider, name }: ModelConfig) => `${provider}/${name}`;

/**
 * Wraps an embedder to count what a reindex uses of its model, durably and over all workers, and to stop it when a
 * budget is used up: a call then throws `BudgetUsedUp`. Calls in flight when that happens are finished and counted, so
 * a budget may be exceeded by as many. A call of which the provider does not say what it counted is estimated.
 */
export function metered(embedder: Embedder, deps: Metering, taskId: string, model: ModelConfig): Embedder {
  if (isFree(model)) return embedder;
  const { background: db, settings } = deps;
  const key = keyOf(model);
  const price = priceOf(model, settings.modelPrices)?.usdPerMillionTokens;
  let sums: StoredUsage | undefined;
  return wrapEmbedder(embedder, async (texts, options) => {
    sums ??= await readUsage(db, taskId, key);
    requireLeft(sums, { taskId, key, price, daily: settings.modelBudgets?.[key] });
    let [calls, said] = [0, 0];
    const onUsage = (tokens: number) => {
      calls++;
      said += tokens;
    };
    const record = async (guess: number) => {
      const estimatedTokens = calls === 0 ? guess : 0;
      const tokens = said + estimatedTokens;
      const usd = ((price ?? 0) * tokens) / 1_000_000;
      sums = await recordUsage(db, taskId, key, { calls: Math.max(1, calls), tokens, estimatedTokens, usd });
    };
    try {
      const vectors = await embedder.embed(texts, { ...options, onUsage });
      await record(estimateTokens(texts));
      return vectors;
    } catch (error) {
      // Providers charge nothing for a call that they refuse.
      if (!options.signal?.aborted) await record(0).catch(() => {});
      throw error;
    }
  });
}

interface Limits {
  taskId: string;
  key: string;
  price: number | undefined;
  daily: Budget | undefined;
}

function requireLeft(sums: StoredUsage, { taskId, key, price, daily }: Limits): void {
  for (const unit of BUDGET_UNITS) {
    const limit = sums.budget[unit];
    if (limit === undefined || sums[unit] < limit) continue;
    const used = usedText(sums[unit], limit, unit);
    const how = `reembed tasks budget ${taskId} --${unit} NUMBER`;
    throw budgetUsedUp(`the budget of the reindex is used up: ${used}; raise it with ${how}, which resumes it too`);
  }
  if (daily === undefined) return;
  if (daily.usd !== undefined && price === undefined) {
    throw budgetUsedUp(`the daily budget of ${key} is in US dollars, but REEMBED_MODEL_PRICES has no price of it`);
  }
  for (const unit of BUDGET_UNITS) {
    const limit = daily[unit];
    if (limit === undefined || sums.today[unit] < limit) continue;
    const used = usedText(sums.today[unit], limit, unit);
    throw budgetUsedUp(`the budget of ${key} for today (UTC) is used up: ${used}; REEMBED_MODEL_BUDGETS has it`);
  }
}

const budgetUsedUp = (message: string) => new ReembedError('BudgetUsedUp', message);

/** Counts texts for which a reindex did not have to ask a model that costs something. */
export async function countReused(
  { background: db }: Metering,
  taskId: string,
  model: ModelConfig,
  texts: number,
): Promise<void> {
  if (texts > 0 && !isFree(model)) await recordReused(db, taskId, texts);
}

/** Returns what a reindex has used so far, for its tracker; undefined if its model costs nothing. */
export async function usageOf(
  { background: db, settings }: Metering,
  taskId: string,
  model: ModelConfig,
): Promise<Usage | undefined> {
  if (isFree(model)) return undefined;
  const { calls, tokens, estimatedTokens, usd, reused, budget } = await readUsage(db, taskId, keyOf(model));
  const isPriced = priceOf(model, settings.modelPrices) !== undefined;
  return { calls, tokens, estimatedTokens, usd: isPriced ? usd : null, reused, budget };
}
