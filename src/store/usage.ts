import { sql } from 'kysely';
import type { Budget, BudgetUnit } from '../contract/budget.ts';
import type { Db } from './database.ts';

/** Rows are kept this long after their last change. */
const KEPT_DAYS = 400;

type Amounts = Record<BudgetUnit, number>;

/** What a reindex has used of its model, and what all reindexes have used of it today. */
export interface StoredUsage extends Amounts {
  estimatedTokens: number;
  /** Texts for which the model was not asked. */
  reused: number;
  /** Texts that the model did not read to their end. */
  truncated: number;
  budget: Budget;
  today: Amounts;
}

/** What one or more calls have used; `usd` is 0 if the price is unknown. */
export interface UsedNow extends Amounts {
  estimatedTokens: number;
}

const TODAY = sql`(now() at time zone 'utc')::date`;

/**
 * Begins to count for a task. One that runs again continues to count, with the budget that it had: it may have been
 * raised.
 */
export async function openUsage(db: Db, taskId: string, budget: Budget | undefined, again: boolean): Promise<void> {
  await sql`
    delete from reembed.task_usage
    where (task_id = ${taskId} and not ${again}::boolean) or update_time < now() - make_interval(days => ${KEPT_DAYS})
  `.execute(db);
  await sql`delete from reembed.model_usage where day < ${TODAY} - ${KEPT_DAYS}::int`.execute(db);
  const { usd = null, tokens = null, calls = null } = budget ?? {};
  await sql`
    insert into reembed.task_usage (task_id, max_usd, max_tokens, max_calls)
    values (${taskId}, ${usd}, ${tokens}, ${calls})
    on conflict (task_id) do nothing`.execute(db);
}

/** Sets limits of a task; null removes one, and an absent one stays. */
export async function setBudget(
  db: Db,
  taskId: string,
  change: Partial<Record<BudgetUnit, number | null>>,
): Promise<void> {
  const { usd, tokens, calls } = change;
  await sql`
    insert into reembed.task_usage as usage (task_id, max_usd, max_tokens, max_calls)
    values (${taskId}, ${usd ?? null}, ${tokens ?? null}, ${calls ?? null})
    on conflict (task_id) do update set
      max_usd = case when ${usd !== undefined}::boolean then excluded.max_usd else usage.max_usd end,
      max_tokens = case when ${tokens !== undefined}::boolean then excluded.max_tokens else usage.max_tokens end,
      max_calls = case when ${calls !== undefined}::boolean then excluded.max_calls else usage.max_calls end,
      update_time = now()`.execute(db);
}

/** Returns what a task has used; `model` is `provider/name`. */
export async function readUsage(db: Db, taskId: string, model: string): Promise<StoredUsage> {
  const [{ rows: tasks }, { rows: days }] = [
    await sql<
      UsedNow & {
        reused: number;
        truncated: number;
        maxUsd: number | null;
        maxTokens: number | null;
        maxCalls: number | null;
      }
    >`
      select
        calls, tokens, estimated_tokens as "estimatedTokens", usd, reused, truncated,
        max_usd as "maxUsd", max_tokens as "maxTokens", max_calls as "maxCalls"
      from reembed.task_usage
      where task_id = ${taskId}`.execute(db),
    await sql<Amounts>`
      select calls, tokens, usd
      from reembed.model_usage
      where model = ${model} and day = ${TODAY}`.execute(db),
  ];
  const { maxUsd = null, maxTokens = null, maxCalls = null, ...used } = tasks[0] ?? {};
  return {
    ...{ calls: 0, tokens: 0, estimatedTokens: 0, usd: 0, reused: 0, truncated: 0, ...used },
    budget: {
      ...(maxUsd !== null && { usd: maxUsd }),
      ...(maxTokens !== null && { tokens: maxTokens }),
      ...(maxCalls !== null && { calls: maxCalls }),
    },
    today: days[0] ?? { calls: 0, tokens: 0, usd: 0 },
  };
}

/** Adds what a call has used, and returns the sums, which other processes add to as well. */
export async function recordUsage(db: Db, taskId: string, model: string, used: UsedNow): Promise<StoredUsage> {
  const { calls, tokens, estimatedTokens, usd } = used;
  await sql`
    insert into reembed.task_usage as usage (task_id, calls, tokens, estimated_tokens, usd)
    values (${taskId}, ${calls}, ${tokens}, ${estimatedTokens}, ${usd})
    on conflict (task_id) do update set
      calls = usage.calls + excluded.calls,
      tokens = usage.tokens + excluded.tokens,
      estimated_tokens = usage.estimated_tokens + excluded.estimated_tokens,
      usd = usage.usd + excluded.usd,
      update_time = now()`.execute(db);
  await sql`
    insert into reembed.model_usage as usage (model, day, calls, tokens, usd)
    values (${model}, ${TODAY}, ${calls}, ${tokens}, ${usd})
    on conflict (model, day) do update set
      calls = usage.calls + excluded.calls,
      tokens = usage.tokens + excluded.tokens,
      usd = usage.usd + excluded.usd`.execute(db);
  return readUsage(db, taskId, model);
}

/** Adds texts for which the model of a task was not asked, and those that it did not read to their end. */
export async function recordTexts(
  db: Db,
  taskId: string,
  { reused, truncated }: Pick<StoredUsage, 'reused' | 'truncated'>,
): Promise<void> {
  await sql`
    insert into reembed.task_usage as usage (task_id, reused, truncated)
    values (${taskId}, ${reused}, ${truncated})
    on conflict (task_id) do update set
      reused = usage.reused + excluded.reused,
      truncated = usage.truncated + excluded.truncated,
      update_time = now()`.execute(db);
}
