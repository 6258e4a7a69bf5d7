import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scheduleTimesSchema } from '../../../src/contract/schedule-request.ts';
import { scheduleTimes } from '../../../src/temporal/schedules/runs.ts';
import { putSchedule } from '../../../src/temporal/schedules/schedules.ts';
import { startTemporal } from '../../support/rig.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTemporal('dev');
});
afterAll(() => environment?.teardown());

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The times at which Temporal runs a schedule, the first one included. */
async function timesOf(every: string, timeZone: string, from: string, hours: number): Promise<string[]> {
  const wish = {
    ...{ taskQueue: `app-${randomUUID()}`, name: 'check', key: 'default' },
    ...scheduleTimesSchema.parse({ every, timeZone, paused: true }),
  };
  const { schedule } = await putSchedule(environment.client, wish);
  expect(schedule).toMatchObject({ every, timeZone });
  expect(await putSchedule(environment.client, wish)).toMatchObject({ outcome: 'unchanged' });
  const fromMs = Date.parse(from);
  const range = { from: new Date(fromMs - 1_000), until: new Date(fromMs + hours * 3_600_000 - 1_000) };
  return (await scheduleTimes(environment.client, wish, range)).map((time) => time.toISOString());
}

/** The local time of a zone: `2027-10-31 02:30`. */
function wallClock(timeZone: string): (time: string | number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return (time) => format.format(new Date(time));
}

/** Both changes of each zone: within the day that begins then. São Paulo and Kolkata have none. */
const CHANGES = [
  ['Europe/Berlin', '2027-03-27T23:00:00Z', '2027-10-30T22:00:00Z'],
  ['America/New_York', '2027-03-14T05:00:00Z', '2027-11-07T04:00:00Z'],
  ['Australia/Lord_Howe', '2027-10-02T13:30:00Z', '2027-04-03T13:00:00Z'],
  ['Africa/Casablanca', '2027-03-14T00:00:00Z', '2027-02-06T23:00:00Z'],
  ['America/Sao_Paulo', '2027-02-20T03:00:00Z', '2027-10-16T03:00:00Z'],
  ['Asia/Kolkata', '2027-03-27T18:30:00Z', '2027-10-30T18:30:00Z'],
] as const;
const DAYS = CHANGES.flatMap(([timeZone, spring, autumn]) => [
  { timeZone, day: spring },
  { timeZone, day: autumn },
]);

describe.each(DAYS)('around the clock change in $timeZone on $day', ({ timeZone, day }) => {
  test.each([
    ['* * * * *', 8, 1],
    ['*/5 * * * *', 26, 5],
    ['*/5 0-6 * * *', 5, 5],
  ])('%s never pauses', async (every, hours, minutes) => {
    const times = await timesOf(every, timeZone, day, hours);
    const expected = Array.from(
      { length: (hours * 60) / minutes },
      (_, at) => Date.parse(day) + at * minutes * MINUTE_MS,
    );
    expect(times).toEqual(expected.map((ms) => new Date(ms).toISOString()));
  });

  test('an hourly schedule has each hour that the clock shows', async () => {
    const times = await timesOf('0 * * * *', timeZone, day, 26);
    const shows = wallClock(timeZone);
    const onTheHour = Array.from({ length: 26 * 60 }, (_, at) => Date.parse(day) + at * MINUTE_MS).filter((ms) =>
      shows(ms).endsWith(':00'),
    );
    expect(times).toEqual(onTheHour.map((ms) => new Date(ms).toISOString()));
  });

  test.each(['0 0 * * *', '0 1 * * *', '45 1 * * *', '30 2 * * *', '0 3 * * *'])(
    'the time of day %s comes once on each day',
    async (every) => {
      const show = wallClock(timeZone);
      const from = new Date(Date.parse(day) - DAY_MS).toISOString();
      // The day of a change is longer or shorter.
      const date = show(day).slice(0, 10);
      const around = [-1, 0, 1].map((days) => new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10));
      const shown = (await timesOf(every, timeZone, from, 75))
        .map(show)
        .filter((time) => around.includes(time.slice(0, 10)));
      expect(shown.map((time) => time.slice(0, 10))).toEqual(around);
      const [minute, hour] = every.split(' ');
      const wanted = `${hour?.padStart(2, '0')}:${minute?.padStart(2, '0')}`;
      // The job runs at that time on the days before and after.
      expect([shown[0], shown[2]].map((each) => each?.slice(11))).toEqual([wanted, wanted]);
      // So it is on the day itself, or later by what the clock skips.
      const shift = timeZone === 'Australia/Lord_Howe' ? 30 : 60;
      const total = Number(hour) * 60 + Number(minute) + shift;
      const later = `0${Math.floor(total / 60)}:${String(total % 60).padStart(2, '0')}`;
      const exists = Array.from({ length: 1_440 }, (_, at) => Date.parse(day) + at * MINUTE_MS).some(
        (ms) => show(ms) === `${date} ${wanted}`,
      );
      expect(shown[1]?.slice(11)).toBe(exists ? wanted : later);
    },
  );
});

describe('in a zone whose clock changes', () => {
  test('a time of day that occurs twice counts the first time', async () => {
    const times = await timesOf('30 2 * * *', 'Europe/Berlin', '2027-10-30T22:00:00Z', 24);
    expect(times).toEqual(['2027-10-31T00:30:00.000Z']);
    expect(await timesOf('30 1 * * *', 'America/New_York', '2027-11-07T04:00:00Z', 24)).toEqual([
      '2027-11-07T05:30:00.000Z',
    ]);
  });

  test('a schedule without a time within a change is passed to Temporal unchanged', async () => {
    const wish = {
      ...{ taskQueue: `app-${randomUUID()}`, name: 'check', key: 'default' },
      ...scheduleTimesSchema.parse({ every: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', paused: true }),
    };
    const { schedule } = await putSchedule(environment.client, wish);
    const { spec } = await environment.client.schedule.getHandle(schedule.id).describe();
    expect(spec.timezone).toBe('Europe/Berlin');
    expect(spec.calendars).toHaveLength(1);
  });
});
