import { sql } from 'kysely';
import type { CallCost } from '../contract/model-limits.ts';
import type { Db } from './database.ts';

/**
 * Books a call of a model and returns after how many milliseconds it may be made; 0 is immediately. Calls of all
 * processes are booked in order, first come, first served. A call that would have to wait longer than `maxWaitMs` is
 * not booked; the result then says how long the wait would be. `pausedMs` is the part of it that is due to a pause.
 *
 * Each limit is a leaky bucket (GCRA): `due` is the time when it has drained enough, and a call advances it by its
 * cost.
 */
export async function bookCall(
  db: Db,
  model: string,
  { requestMs, tokensMs, burstMs }: CallCost,
  maxWaitMs: number | null,
): Promise<{ isBooked: boolean; waitMs: number; pausedMs: number }> {
  const ms = (value: number) => sql`make_interval(secs => ${value / 1_000}::float8)`;
  const start = sql`clock_timestamp() - ${ms(burstMs)}`;
  const untilMs = (moment: ReturnType<typeof sql>) =>
    sql`greatest(0, extract(epoch from ${moment} - clock_timestamp()) * 1000)::float8`;
  const { rows } = await sql<{ wait: number; paused: number }>`
    insert into reembed.model_limits as limits (model, requests_due, tokens_due)
    values (${model}, ${start} + ${ms(requestMs)}, ${start} + ${ms(tokensMs)})
    on conflict (model) do update set
      requests_due = greatest(limits.requests_due, ${start}) + ${ms(requestMs)},
      tokens_due = greatest(limits.tokens_due, ${start}) + ${ms(tokensMs)}
    where ${maxWaitMs}::float8 is null
      or ${untilMs(sql`greatest(limits.requests_due, limits.tokens_due, limits.paused_until)`)} <= ${maxWaitMs}::float8
    returning ${untilMs(sql`greatest(requests_due - ${ms(requestMs)}, tokens_due - ${ms(tokensMs)}, paused_until)`)} as wait,
      ${untilMs(sql`paused_until`)} as paused`.execute(db);
  const turnOf = (row: { wait: number; paused: number } | undefined) => ({
    waitMs: Math.ceil(row?.wait ?? 0),
    pausedMs: Math.ceil(row?.paused ?? 0),
  });
  if (rows[0]) return { isBooked: true, ...turnOf(rows[0]) };
  const { rows: refused } = await sql<{ wait: number; paused: number }>`
    select ${untilMs(sql`greatest(requests_due, tokens_due, paused_until)`)} as wait, ${untilMs(sql`paused_until`)} as paused
    from reembed.model_limits
    where model = ${model}`.execute(db);
  return { isBooked: false, ...turnOf(refused[0]) };
}

/** Pauses all calls of the model for `forMs` milliseconds, or keeps a longer pause that is already set. */
export async function pauseModel(db: Db, model: string, forMs: number): Promise<void> {
  await sql`
    insert into reembed.model_limits as limits (model, paused_until)
    values (${model}, clock_timestamp() + make_interval(secs => ${forMs / 1_000}::float8))
    on conflict (model) do update set paused_until = greatest(limits.paused_until, excluded.paused_until)`.execute(db);
}

/** Returns how many milliseconds the model's pause still lasts. */
export async function pauseOfModel(db: Db, model: string): Promise<number> {
  const { rows } = await sql<{ wait: number }>`
    select greatest(0, extract(epoch from paused_until - clock_timestamp()) * 1000)::float8 as wait
    from reembed.model_limits
    where model = ${model} and paused_until > clock_timestamp()`.execute(db);
  return Math.ceil(rows[0]?.wait ?? 0);
}

/** Ends a pause early, so that the model can be called immediately. */
export async function liftPause(db: Db, model: string): Promise<void> {
  await sql`update reembed.model_limits set paused_until = clock_timestamp() where model = ${model}`.execute(db);
}
