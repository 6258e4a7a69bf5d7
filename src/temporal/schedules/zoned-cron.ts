import { type ClockChange, type ClockChanges, clockChanges } from '../../contract/clock-changes.ts';
import { type CronFields, parseCron } from '../../contract/cron.ts';
import { calendarsOf, type DatedTimes } from './utc-calendars.ts';

/**
 * Cron expressions in a time zone with clock changes. Temporal evaluates an expression in a zone itself, and is wrong
 * around changes: it skips an hour or more, runs twice, or not at all. So an expression with a time within a clock
 * change is calculated here, and Temporal gets the same times as expressions in UTC.
 */

/** Years that are calculated; the days of later clock changes are omitted. A worker that starts recalculates them. */
const YEARS_AHEAD = 20;
const LAST_YEAR = 2100;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1_440;

/**
 * Converts expressions in a zone for Temporal: returns them unchanged, or in UTC.
 *
 * @param expressions as returned by `readEvery`; the schedule has the times of all of them
 * @example
 * zonedCron(['30 2 * * *'], 'Europe/Berlin', 2026) // { zone: 'utc', expressions: ['0 30 1 * 1-2,11-12 * *', …] }
 */
export function zonedCron(
  expressions: readonly string[],
  timeZone: string,
  thisYear = new Date().getUTCFullYear(),
): { zone: 'own' | 'utc'; expressions: readonly string[] } {
  const all = expressions.map(readChecked);
  const until = Math.min(LAST_YEAR, Math.max(thisYear + YEARS_AHEAD, ...all.flatMap(({ years }) => years ?? [])));
  const range = { from: thisYear - 1, until };
  const clock = clockChanges(timeZone, range.from, range.until);
  if (!all.some((fields) => clock.changes.some((change) => meets(fields, change)))) return { zone: 'own', expressions };
  return { zone: 'utc', expressions: all.flatMap((fields) => inUtc(fields, clock, range)) };
}

function readChecked(expression: string): CronFields {
  const fields = parseCron(expression);
  if (typeof fields === 'string') throw new Error(fields); // readEvery has checked it
  return fields;
}

/**
 * Returns whether the expression has a time that Temporal may get wrong: one that the change skips or repeats, or one
 * in the hour before, which Temporal repeats in zones east of Greenwich. Minutes of the wall clock are counted like
 * those of UTC.
 */
function meets(fields: CronFields, { atMs, before, after }: ClockChange): boolean {
  const atMinute = atMs / MINUTE_MS;
  const from = Math.floor((atMinute + Math.min(before, after)) / 60) * 60 - 60;
  const until = Math.ceil((atMinute + Math.max(before, after)) / 60) * 60;
  for (let minute = from; minute < until; minute++) if (hasMinute(fields, minute)) return true;
  return false;
}

/** Returns whether the expression has this minute of the wall clock. */
function hasMinute(fields: CronFields, minute: number): boolean {
  const time = modulo(minute, DAY_MINUTES);
  return (
    fields.minutes.includes(time % 60) &&
    fields.hours.includes(Math.floor(time / 60)) &&
    hasDay(fields, Math.floor(minute / DAY_MINUTES))
  );
}

/** Returns whether the expression has this day, counted from 1970. */
function hasDay({ daysOfMonth, months, daysOfWeek, years }: CronFields, day: number): boolean {
  const date = new Date(day * DAY_MS);
  return (
    daysOfMonth.includes(date.getUTCDate()) &&
    months.includes(date.getUTCMonth() + 1) &&
    daysOfWeek.includes(date.getUTCDay()) &&
    (years === null || years.includes(date.getUTCFullYear()))
  );
}

function inUtc(fields: CronFields, clock: ClockChanges, range: { from: number; until: number }): string[] {
  const special = specialDays(clock);
  const timesOn = ordinaryTimes(fields);
  const days: DatedTimes[] = [];
  let offset = clock.first;
  let next = 0;
  const lastDay = Date.UTC(range.until + 1, 0) / DAY_MS;
  for (let day = Date.UTC(range.from, 0) / DAY_MS; day < lastDay; day++) {
    for (; (clock.changes[next]?.atMs ?? Number.POSITIVE_INFINITY) < (day + 1) * DAY_MS; next++) {
      offset = clock.changes[next]?.after ?? offset;
    }
    days.push({ day, times: special.has(day) ? timesAround(fields, clock, day) : timesOn(day, offset) });
  }
  return calendarsOf(days, { range, seconds: fields.seconds, byWeekday: isByWeekday(fields) });
}

/** Returns true if only the day of the week decides on which days it runs. */
function isByWeekday({ daysOfMonth, months, years }: CronFields): boolean {
  return daysOfMonth.length === 31 && months.length === 12 && years === null;
}

/** Returns the UTC days with an offset change or moved times. */
function specialDays({ changes }: ClockChanges): ReadonlySet<number> {
  const days = new Set<number>();
  for (const { atMs, before, after } of changes) {
    const lastMs = atMs + Math.abs(after - before) * MINUTE_MS - 1;
    for (let day = Math.floor(atMs / DAY_MS); day * DAY_MS <= lastMs; day++) days.add(day);
  }
  return days;
}

/** Returns the minutes of a UTC day at which it runs, for days with a constant offset. */
function ordinaryTimes(fields: CronFields): (day: number, offset: number) => string {
  const wall = fields.hours.flatMap((hour) => fields.minutes.map((minute) => hour * 60 + minute));
  const known = new Map<string, string>();
  return (day, offset) => {
    // The wall clock may show the day before or after.
    const has = [-1, 0, 1].map((apart) => hasDay(fields, day + apart));
    const key = `${offset} ${has.join()}`;
    const times =
      known.get(key) ??
      has
        .flatMap((isOn, at) => (isOn ? wall.map((minute) => minute + (at - 1) * DAY_MINUTES - offset) : []))
        .filter((minute) => minute >= 0 && minute < DAY_MINUTES)
        .sort((left, right) => left - right)
        .join();
    known.set(key, times);
    return times;
  };
}

/**
 * Like `ordinaryTimes`, around a clock change. A time that the clock skips is moved later by the skipped amount, and
 * one that occurs twice counts the first time. An expression that repeats at intervals runs whenever the clock shows a
 * matching time, both times.
 */
function timesAround(fields: CronFields, { first, changes }: ClockChanges, day: number): string {
  const times: number[] = [];
  for (let time = 0; time < DAY_MINUTES; time++) {
    const minute = day * DAY_MINUTES + time;
    const { before, after, atMs } = changes.findLast((change) => change.atMs <= minute * MINUTE_MS) ?? {
      before: first,
      after: first,
      atMs: Number.NEGATIVE_INFINITY,
    };
    const isMoved = !fields.repeats && minute - atMs / MINUTE_MS < Math.abs(after - before);
    const runs = isMoved && after < before ? false : hasMinute(fields, minute + after);
    if (runs || (isMoved && after > before && hasMinute(fields, minute + before))) times.push(time);
  }
  return times.join();
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
