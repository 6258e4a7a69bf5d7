import type { BudgetUnit } from '../../contract/budget.ts';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { requirePrice } from '../../models/prices.ts';
import { findIndex } from '../../store/indexes.ts';
import { setBudget } from '../../store/usage.ts';
import { readTask, resumeTask } from '../../temporal/index.ts';
import type { TaskRouterOptions } from './options.ts';

/** Limits to set; null removes one, and an absent one stays. */
export type BudgetChange = Partial<Record<BudgetUnit, number | null | undefined>>;

/**
 * Changes the budget of a reindex, and resumes it if it has paused because its budget was used up. Errors:
 * `InvalidInput` for another type or an unknown price, `TaskClosed`, `TaskNotFound`.
 */
export async function setTaskBudget(
  { client, db, modelPrices }: Pick<TaskRouterOptions, 'client' | 'db' | 'modelPrices'>,
  taskId: string,
  { usd, tokens, calls }: BudgetChange,
  who: { by: string | null },
): Promise<Tracker> {
  const { tracker, ended } = await readTask(client, taskId);
  if (tracker.type !== 'reindex') {
    throw new ReembedError('InvalidInput', `only a reindex has a budget, and ${taskId} is of type ${tracker.type}`);
  }
  if (ended) throw new ReembedError('TaskClosed', `the task ${taskId} has ended: it is too late to change its budget`);
  if (usd === undefined && tokens === undefined && calls === undefined) {
    throw invalidField('query.usd', 'needed: usd, tokens or calls', 'usd, tokens or calls is missing');
  }
  const { dest } = tracker.data;
  const index = typeof dest === 'string' ? await findIndex(db, dest) : undefined;
  requirePrice({ usd }, index?.model, modelPrices, 'query.usd');
  await setBudget(db, taskId, { usd, tokens, calls });
  const isUsedUp = tracker.status === 'paused' && tracker.errors[0]?.type === 'BudgetUsedUp';
  return isUsedUp ? resumeTask(client, taskId, who) : tracker;
}
