import { sql } from 'kysely';
import { BASELINE_MINUTES, WATCH_WINDOW_MINUTES } from '../contract/watch.ts';
import type { Db, Trx } from './database.ts';

/** Older minutes are dropped when newer ones are counted. */
const KEPT_HOURS = 24;
/** A watch whose lock is gone for this long is dropped. */
const LEFT_OVER_HOURS = 24;

/** Names of the sums of one minute; `latency` is followed by the number of a bucket. */
export const WATCH_COUNTS = { answered: 'answered', failed: 'failed', empty: 'empty', latency: 'ms.' } as const;

/** Sums of searches by name. */
export type WatchSums = ReadonlyMap<string, number>;

export interface WatchCounts {
  /** The newest searches of the index that is watched. */
  now: WatchSums;
  /** Since when these were counted; null if there are none. */
  since: Date | null;
  /** Those of the index before it, in the minutes before the switch. */
  before: WatchSums;
}

/**
 * Counts the searches that the source of a lock answers, from now on for as long as the lock exists. `beforeLock`: the
 * lock whose figures are the baseline. Repeating it changes nothing.
 */
export async function beginWatch(db: Db | Trx, lock: string, beforeLock: string | null): Promise<void> {
  await sql`
    insert into reembed.watches (lock, before_lock)
    values (${lock}::uuid, ${beforeLock}::uuid)
    on conflict (lock) do nothing`.execute(db);
}

/** Ends the counting for a lock, and drops its figures with their baseline. */
export async function endWatch(db: Db, lock: string): Promise<void> {
  await sql`
    delete from reembed.watches
    where lock = ${lock}::uuid
      or lock = (select before_lock from reembed.watches where lock = ${lock}::uuid)`.execute(db);
}

/** Adds to the sums of this minute. Does nothing if the watch has ended. */
export async function addWatchCounts(db: Db, lock: string, counts: ReadonlyMap<string, number>): Promise<void> {
  // In one order, since several processes add to the same rows.
  const names = [...counts.keys()].sort();
  await sql`
    with watched as (
      select lock
      from reembed.watches
      where lock = ${lock}::uuid
      for key share
    ), dropped as (
      delete from reembed.watch_counts
      where lock = ${lock}::uuid and minute < now() - make_interval(hours => ${KEPT_HOURS})
    )
    insert into reembed.watch_counts (lock, minute, name, value)
    select watched.lock, date_trunc('minute', now()), added.name, added.value
    from watched
    cross join unnest(${names}::text[], ${names.map((name) => counts.get(name))}::float8[]) as added (name, value)
    order by added.name
    on conflict (lock, minute, name) do update set value = watch_counts.value + excluded.value`.execute(db);
}

/**
 * Returns the newest searches: those of the last minutes, or of as many minutes as have `minSearches`, if these are more;
 * and the baseline.
 */
export async function getWatchCounts(db: Db, lock: string, minSearches: number): Promise<WatchCounts> {
  const now = await sql<{ name: string; value: number; since: Date }>`
    with minutes as (
      select minute, sum(value) as searches
      from reembed.watch_counts
      where lock = ${lock}::uuid and name in (${WATCH_COUNTS.answered}, ${WATCH_COUNTS.failed})
      group by minute
    ), later as (
      select minute, coalesce(sum(searches) over (order by minute desc rows between unbounded preceding and 1 preceding), 0)
        as searches
      from minutes
    ), judged as (
      select min(minute) as since
      from later
      where searches < ${minSearches} or minute > now() - make_interval(mins => ${WATCH_WINDOW_MINUTES})
    )
    select name, sum(value) as value, judged.since
    from reembed.watch_counts
    cross join judged
    where lock = ${lock}::uuid and minute >= judged.since
    group by name, judged.since`.execute(db);
  const before = await sql<{ name: string; value: number }>`
    select c.name, sum(c.value) as value
    from reembed.watches w
    join reembed.watch_counts c on c.lock = w.before_lock
    where w.lock = ${lock}::uuid and c.minute >= w.create_time - make_interval(mins => ${BASELINE_MINUTES})
    group by c.name`.execute(db);
  return { now: sumsOf(now.rows), since: now.rows[0]?.since ?? null, before: sumsOf(before.rows) };
}

function sumsOf(rows: readonly { name: string; value: number }[]): WatchSums {
  return new Map(rows.map(({ name, value }) => [name, Number(value)]));
}

/** Drops the figures of watches that have ended with their lock, such as those of a canceled task. */
export async function dropEndedWatches(db: Db): Promise<void> {
  await sql`
    delete from reembed.watches w
    where create_time < now() - make_interval(hours => ${LEFT_OVER_HOURS})
      and not exists (select from reembed.reindex_locks l where l.lock = w.lock)
      and not exists (
        select from reembed.watches later
        join reembed.reindex_locks l on l.lock = later.lock
        where later.before_lock = w.lock
      )`.execute(db);
}
