import { BUDGET_UNITS, type Budget, type BudgetUnit, type Usage, usedText } from '../../contract/budget.ts';
import { type Embedder, wrapEmbedder } from '../../contract/embedder.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { ModelConfig } from '../../contract/models.ts';
import { estimateTokens } from '../../models/estimate-tokens.ts';
import { batchPriceShareOf, isFree, priceOf } from '../../models/prices.ts';
import type { Trx } from '../../store/database.ts';
import { readUsage, recordTexts, recordUsage, type StoredUsage } from '../../store/usage.ts';
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

/**
 * Returns for how many tokens the budgets have room in batches, at their price; Infinity without a limit. `openTokens` are
 * those of the batches without answers. Error: `BudgetUsedUp`.
 */
export async function roomInBudget(
  { background: db, settings }: Metering,
  taskId: string,
  model: ModelConfig,
  openTokens: number,
): Promise<number> {
  const key = keyOf(model);
  const price = priceOf(model, settings.modelPrices)?.usdPerMillionTokens;
  const daily = settings.modelBudgets?.[key];
  const sums = await readUsage(db, taskId, key);
  const usdPerToken = (batchPrice(model) * (price ?? 0)) / 1_000_000;
  const open = (used: Record<BudgetUnit, number>) => ({
    ...used,
    tokens: used.tokens + openTokens,
    usd: used.usd + openTokens * usdPerToken,
  });
  const all = { ...open(sums), today: open(sums.today) };
  requireLeft({ ...sums, ...all }, { taskId, key, price, daily });
  const rooms = [[sums.budget, all] as const, [daily ?? {}, all.today] as const].flatMap(([limit, used]) => [
    (limit.tokens ?? Number.POSITIVE_INFINITY) - used.tokens,
    usdPerToken === 0 ? Number.POSITIVE_INFINITY : ((limit.usd ?? Number.POSITIVE_INFINITY) - used.usd) / usdPerToken,
  ]);
  return Math.min(...rooms);
}

/** Counts the call that sends a batch. */
export async function recordBatchCall({ background: db }: Metering, taskId: string, model: ModelConfig): Promise<void> {
  await recordUsage(db, taskId, keyOf(model), { calls: 1, tokens: 0, estimatedTokens: 0, usd: 0 });
}

/** Counts answers of batches at their price, each with its tokens or null if they are to be estimated. */
export async function recordBatchUsage(
  trx: Trx,
  { settings }: Metering,
  { taskId, model, tokensPerText }: { taskId: string; model: ModelConfig; tokensPerText: number },
  answers: readonly (number | null)[],
): Promise<void> {
  if (answers.length === 0) return;
  const price = priceOf(model, settings.modelPrices)?.usdPerMillionTokens ?? 0;
  const estimatedTokens = Math.round(answers.filter((tokens) => tokens === null).length * tokensPerText);
  const tokens = answers.reduce<number>((sum, one) => sum + (one ?? 0), estimatedTokens);
  const usd = (batchPrice(model) * price * tokens) / 1_000_000;
  await recordUsage(trx, taskId, keyOf(model), { calls: 0, tokens, estimatedTokens, usd });
}

const batchPrice = (model: ModelConfig) => batchPriceShareOf(model) ?? 1;

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

/** Counts texts for which a reindex did not have to ask a model that costs something, and texts that it did not read to their end. */
export async function countTexts(
  { background: db }: Metering,
  taskId: string,
  model: ModelConfig,
  texts: Pick<StoredUsage, 'reused' | 'truncated'>,
): Promise<void> {
  if (texts.reused + texts.truncated > 0 && !isFree(model)) await recordTexts(db, taskId, texts);
}

/** Returns what a reindex has used so far, for its tracker; undefined if its model costs nothing. */
export async function summarizeUsage(
  { background: db, settings }: Metering,
  taskId: string,
  model: ModelConfig,
): Promise<Usage | undefined> {
  if (isFree(model)) return undefined;
  const { calls, tokens, estimatedTokens, usd, reused, truncated, budget } = await readUsage(db, taskId, keyOf(model));
  const isPriced = priceOf(model, settings.modelPrices) !== undefined;
  const isCut = truncated > 0;
  return { calls, tokens, estimatedTokens, usd: isPriced ? usd : null, reused, ...(isCut && { truncated }), budget };
}
