import { Cron } from 'croner';
import { describe, expect, test } from 'vitest';
import { zonedCron } from '../../../src/temporal/schedules/zoned-cron.ts';

const MINUTE_MS = 60_000;

/** Times of an expression read in UTC, by a library. */
function timesInUtc(expression: string, fromMs: number, untilMs: number): number[] {
  const times: number[] = [];
  const cron = new Cron(expression, { timezone: 'UTC', domAndDow: true });
  for (let next = cron.nextRun(new Date(fromMs - 1_000)); next && next.getTime() < untilMs; next = cron.nextRun(next)) {
    times.push(next.getTime());
  }
  return times;
}

/** The local time of a zone, as if it were UTC. */
function wallClock(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (ms) => Date.parse(`${format.format(ms).replace(' ', 'T')}Z`);
}

const DAY_MS = 86_400_000;

/** Weeks around the clock changes of a year. */
function weeksAround(timeZone: string, year: number): { fromMs: number; untilMs: number }[] {
  const shows = wallClock(timeZone);
  const days = Array.from({ length: 366 }, (_, at) => Date.UTC(year, 0) + at * DAY_MS);
  return days
    .filter((ms) => shows(ms) - ms !== shows(ms + DAY_MS) - ms - DAY_MS)
    .map((ms) => ({ fromMs: ms - 3 * DAY_MS, untilMs: ms + 4 * DAY_MS }));
}

/** Minute by minute: what the clock shows, and what it skips or repeats. */
function expected(expression: string, timeZone: string, fromMs: number, untilMs: number): number[] {
  const shows = wallClock(timeZone);
  const follows = expression
    .split(' ')
    .slice(0, 2)
    .some((field) => field.startsWith('*'));
  const wanted = new Set(timesInUtc(expression, fromMs - 86_400_000, untilMs + 86_400_000));
  const seen = new Set<number>();
  const times = new Set<number>();
  let before = shows(fromMs - MINUTE_MS);
  let offset = before - (fromMs - MINUTE_MS);
  for (let ms = fromMs; ms < untilMs; ms += MINUTE_MS) {
    const wall = shows(ms);
    if (wanted.has(wall) && (follows || !seen.has(wall))) times.add(ms);
    for (let left = before + MINUTE_MS; left < wall; left += MINUTE_MS) {
      if (wanted.has(left) && !follows) times.add(left - offset);
    }
    if (wall >= before) offset = wall - ms;
    seen.add(wall);
    before = wall;
  }
  return [...times].filter((ms) => ms < untilMs).sort((left, right) => left - right);
}

const EXPRESSIONS = [
  '*/20 * * * *',
  '0 * * * *',
  '30 2 * * *',
  '0,30 1-3 * * *',
  '*/30 1-3 * * *',
  '0 */2 * * *',
  '15 0 * * *',
  '45 23 * * *',
  '0 2 * * SUN,MON',
  '*/30 * * * MON-FRI',
  '30 1 1,7,14,28,31 * *',
  '10 2 * 3,10 *',
];

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'America/Santiago',
  'Asia/Beirut',
  'Atlantic/Azores',
  'Pacific/Chatham',
];

describe.each(ZONES)('a cron expression in %s', (timeZone) => {
  test.each(EXPRESSIONS)('%s has the same times in UTC as on the clock, in the weeks of its changes', (expression) => {
    const { zone, expressions } = zonedCron([expression], timeZone, 2027);
    if (zone === 'own') return; // Temporal's own reading is checked against a server
    const weeks = weeksAround(timeZone, 2028);
    expect(weeks).toHaveLength(2);
    for (const { fromMs, untilMs } of weeks) {
      const times = expressions.flatMap((each) => timesInUtc(each, fromMs, untilMs));
      expect(new Set(times).size).toBe(times.length);
      const text = (ms: number) => new Date(ms).toISOString();
      expect(times.sort((left, right) => left - right).map(text)).toEqual(
        expected(expression, timeZone, fromMs, untilMs).map(text),
      );
    }
  });
});

test('an expression in a zone without changes, or without a time near one, stays as it is', () => {
  expect(zonedCron(['30 2 * * *'], 'Asia/Kolkata', 2027)).toEqual({ zone: 'own', expressions: ['30 2 * * *'] });
  expect(zonedCron(['0 9 * * MON-FRI'], 'Europe/Berlin', 2027)).toMatchObject({ zone: 'own' });
  expect(zonedCron(['30 2 * * *'], 'Europe/Berlin', 2027)).toMatchObject({ zone: 'utc' });
});

test('an expression that follows elapsed time only stays one expression', () => {
  expect(zonedCron(['*/30 * * * *'], 'Australia/Lord_Howe', 2027).expressions).toEqual(['0 0,30 * * * * *']);
  expect(zonedCron(['0 * * * *'], 'Europe/Berlin', 2027).expressions).toEqual(['0 0 * * * * *']);
});

test('days that match either expression are the days of both, in UTC', () => {
  const { zone, expressions } = zonedCron(['0 9 13 * *', '30 2 * * SUN'], 'Europe/Berlin', 2027);
  expect(zone).toBe('utc');
  const days = expressions.flatMap((each) => timesInUtc(each, Date.UTC(2027, 7, 10), Date.UTC(2027, 7, 16)));
  expect(days.map((ms) => new Date(ms).toISOString()).sort()).toEqual([
    '2027-08-13T07:00:00.000Z',
    '2027-08-15T00:30:00.000Z',
  ]);
});
