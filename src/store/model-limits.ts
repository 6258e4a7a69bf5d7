import { sql } from 'kysely';
import type { CallCost } from '../contract/model-limits.ts';
import type { Db } from './database.ts';

/**
 * Books a call of a model and answers in how many milliseconds it may be made: 0 is at once. Calls are booked one after
 * the other, so whoever comes first goes first, from whatever process. A call that would have to wait for more than
 * `maxWaitMs` is not booked; the answer tells how long it would be. `pausedMs` is for how long of that a pause holds.
 *
 * Each limit is a leaky bucket (GCRA): `due` is when it has leaked enough, and a call moves it on by what it costs.
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

/** Nobody calls the model for so long, unless it was told to wait for longer already. */
export async function pauseModel(db: Db, model: string, forMs: number): Promise<void> {
  await sql`
    insert into reembed.model_limits as limits (model, paused_until)
    values (${model}, clock_timestamp() + make_interval(secs => ${forMs / 1_000}::float8))
    on conflict (model) do update set paused_until = greatest(limits.paused_until, excluded.paused_until)`.execute(db);
}

/** For how many milliseconds nobody is to call the model yet. */
export async function pauseOfModel(db: Db, model: string): Promise<number> {
  const { rows } = await sql<{ wait: number }>`
    select greatest(0, extract(epoch from paused_until - clock_timestamp()) * 1000)::float8 as wait
    from reembed.model_limits
    where model = ${model} and paused_until > clock_timestamp()`.execute(db);
  return Math.ceil(rows[0]?.wait ?? 0);
}

/** Ends a pause before its time: the model may be asked again at once. */
export async function liftPause(db: Db, model: string): Promise<void> {
  await sql`update reembed.model_limits set paused_until = clock_timestamp() where model = ${model}`.execute(db);
}
