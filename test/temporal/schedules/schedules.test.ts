import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { scheduleTimesSchema } from '../../../src/contract/schedule-request.ts';
import { allSchedules, listSchedules } from '../../../src/temporal/schedules/list.ts';
import { runSchedule, scheduleTimes } from '../../../src/temporal/schedules/runs.ts';
import {
  type DesiredSchedule,
  getSchedule,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
} from '../../../src/temporal/schedules/schedules.ts';
import { startTemporal } from '../../support/rig.ts';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTemporal('dev');
});
afterAll(() => environment?.teardown());

/** A schedule of its own application; no worker runs what it starts. */
function wish(change: Partial<DesiredSchedule> = {}): DesiredSchedule {
  const { taskQueue = `app-${randomUUID()}`, name = 'check', key = 'default', input = { n: 1 }, ...times } = change;
  const { options, declared, ...rest } = times;
  return { taskQueue, name, key, input, options, declared, ...scheduleTimesSchema.parse({ every: '1h', ...rest }) };
}

const put = (wanted: DesiredSchedule) => putSchedule(environment.client, wanted);
const get = (wanted: DesiredSchedule) => getSchedule(environment.client, wanted);
const run = (wanted: DesiredSchedule, options?: Parameters<typeof runSchedule>[2]) =>
  runSchedule(environment.client, wanted, options);

/** Lists are eventually consistent. */
const listedOnce = (taskQueue: string, count: number) =>
  vi.waitFor(
    async () => {
      const list = await listSchedules(environment.client, { taskQueue });
      expect(list.schedules).toHaveLength(count);
      return list;
    },
    { timeout: 90_000 },
  );

describe('a schedule', () => {
  test('is returned as it was requested, with its next times', async () => {
    const wanted = wish({
      every: '0 9 * * MON-FRI',
      timeZone: 'Europe/Berlin',
      jitter: '90s',
      overlap: 'buffer_one',
      catchUp: '2h',
      note: 'office hours',
      input: { to: 'all' },
      options: { timeout: '5m', queue: 'mail' },
    });
    const { schedule, outcome } = await put(wanted);
    expect(outcome).toBe('created');
    expect(schedule).toMatchObject({
      id: `reembed-schedule/${wanted.taskQueue}/check/default`,
      name: 'check',
      key: 'default',
      every: '0 9 * * MON-FRI',
      timeZone: 'Europe/Berlin',
      jitter: '90s',
      overlap: 'buffer_one',
      catchUp: '2h',
      paused: false,
      note: 'office hours',
      input: { to: 'all' },
      options: { timeout: '5m', queue: 'mail' },
      declared: false,
      running: [],
      recent: [],
      counts: { started: 0, skipped: 0, missed: 0 },
    });
    expect(schedule.nextTimes).toHaveLength(10);
    for (const time of schedule.nextTimes) {
      const local = new Date(time).toLocaleString('en-GB', {
        timeZone: 'Europe/Berlin',
        weekday: 'short',
        timeStyle: undefined,
        hour: '2-digit',
        minute: '2-digit',
      });
      expect(local).toMatch(/^(Mon|Tue|Wed|Thu|Fri)\w* 09:0[01]$/);
    }
  });

  test('runs on either day where both are restricted, as in crontab', async () => {
    const { schedule } = await put(wish({ every: '0 0 13 * FRI' }));
    expect(schedule.every).toBe('0 0 13 * FRI');
    const days = schedule.nextTimes.map((time) => new Date(time));
    expect(days.filter((day) => day.getUTCDay() !== 5 && day.getUTCDate() !== 13)).toEqual([]);
    // Ten of both kinds: more than Fridays, and more than thirteenths.
    expect(new Set(days.map((day) => day.getUTCDay() === 5)).size).toBe(2);
  });

  test('is changed, kept or refused, as requested, when it exists', async () => {
    const first = wish({ every: '1h', note: 'first' });
    await put(first);
    expect(await put({ ...first, every: 3_600 })).toMatchObject({ outcome: 'unchanged' });
    expect(await put({ ...first, every: '2h', ifExists: 'keep' })).toMatchObject({
      outcome: 'kept',
      schedule: { every: '1h' },
    });
    await expect(put({ ...first, ifExists: 'refuse' })).rejects.toMatchObject({ type: 'ScheduleExists' });
    const changed = await put({ ...first, every: '2h', input: { n: 2 }, overlap: 'allow_all' });
    expect(changed).toMatchObject({
      outcome: 'updated',
      schedule: { every: '2h', input: { n: 2 }, overlap: 'allow_all', note: 'first' },
    });
    expect(await get(first)).toMatchObject({ every: '2h', input: { n: 2 } });
  });

  test('is created once, however many create it at the same time', async () => {
    const wanted = wish();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => put(wanted)));
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    const { schedules } = await listedOnce(wanted.taskQueue, 1);
    expect(schedules).toEqual([expect.objectContaining({ key: 'default' })]);
  });

  test.each(['@daily', '0 6 * * *', '90s', '2d'])(
    'is not changed when it is already as wanted: every %s',
    async (every) => {
      const wanted = wish({ every, input: { list: [1, { a: null }] }, options: { timeout: '5m' } });
      await put(wanted);
      const again = await put({ ...wanted, input: { list: [1, { a: null }] } });
      expect(again).toMatchObject({ outcome: 'unchanged', schedule: { every, updateTime: null } });
    },
  );

  test('is still declared by the code when it is changed by hand', async () => {
    const wanted = wish({ declared: true });
    await put(wanted);
    const { outcome, schedule } = await put({ ...wanted, every: '5h', declared: undefined });
    expect({ outcome, ...schedule }).toMatchObject({ outcome: 'updated', every: '5h', declared: true });
  });

  test('stays paused when it is changed, unless that says otherwise', async () => {
    const wanted = wish();
    await put(wanted);
    expect(await pauseSchedule(environment.client, wanted, 'holidays')).toMatchObject({
      paused: true,
      note: 'holidays',
      nextTimes: [],
    });
    expect((await put({ ...wanted, every: '3h' })).schedule).toMatchObject({
      every: '3h',
      paused: true,
      note: 'holidays',
    });
    expect((await put({ ...wanted, every: '3h', paused: false })).schedule).toMatchObject({ paused: false });
    await pauseSchedule(environment.client, wanted);
    const resumed = await resumeSchedule(environment.client, wanted, 'back');
    expect(resumed).toMatchObject({ paused: false, note: 'back' });
    expect(resumed.nextTimes).toHaveLength(10);
  });

  test('keeps unsupported settings of other tools, and shows what these tools changed', async () => {
    const wanted = wish({ every: '0 9 * * *' });
    await put(wanted);
    const handle = environment.client.schedule.getHandle((await get(wanted)).id);
    await handle.update(({ action, policies }) => ({
      spec: { calendars: [{ hour: 7 }] },
      action,
      policies: { ...policies, pauseOnFailure: true },
      state: { remainingActions: 5 },
    }));
    expect(await get(wanted)).toMatchObject({ every: null, input: { n: 1 } });
    expect(await put(wanted)).toMatchObject({ outcome: 'updated', schedule: { every: '0 9 * * *' } });
    const { policies, state } = await handle.describe();
    expect({ ...policies, ...state }).toMatchObject({ pauseOnFailure: true, remainingActions: 5 });
  });

  test('is gone after its removal, and can be created again', async () => {
    const wanted = wish();
    await put(wanted);
    await removeSchedule(environment.client, wanted);
    for (const call of [get, (gone: DesiredSchedule) => removeSchedule(environment.client, gone), run]) {
      await expect(call(wanted)).rejects.toMatchObject({ type: 'ScheduleNotFound' });
    }
    expect(await put(wanted)).toMatchObject({ outcome: 'created' });
  });

  test('runs now on request, as its overlap policy says', async () => {
    const wanted = wish();
    await put(wanted);
    const first = await run(wanted);
    expect(first).toEqual({ outcome: 'started', taskId: expect.stringContaining(`${(await get(wanted)).id}-`) });
    const { type, memo, taskQueue } = await environment.client.workflow.getHandle(`${first.taskId}`).describe();
    expect({ type, memo, taskQueue }).toMatchObject({ type: 'job', taskQueue: wanted.taskQueue });
    expect(await run(wanted)).toEqual({ outcome: 'skipped', taskId: null });
    const beside = await run(wanted, { overlap: 'allow_all' });
    expect(beside.outcome).toBe('started');
    const schedule = await get(wanted);
    expect(schedule).toMatchObject({ counts: { started: 2, skipped: 1, missed: 0 } });
    expect(schedule.recent.map(({ taskId }) => taskId)).toEqual([beside.taskId, first.taskId]);
  });

  test('runs as often as requested, even several times within a second', async () => {
    const wanted = wish({ overlap: 'allow_all' });
    await put(wanted);
    const taskIds = [];
    for (let count = 0; count < 3; count++) taskIds.push((await run(wanted)).taskId);
    expect(new Set(taskIds).size).toBe(3);
    const { recent } = await get(wanted);
    expect(recent.map(({ taskId }) => taskId)).toEqual(taskIds.reverse());
  });

  test('lists its times in any period, by the clock of its zone', async () => {
    const wanted = wish({ every: '30 2 * * *', timeZone: 'Europe/Berlin' });
    await put(wanted);
    const range = { from: new Date('2030-03-29T12:00:00Z'), until: new Date('2030-04-02T12:00:00Z') };
    const times = await scheduleTimes(environment.client, wanted, range);
    // 02:30 does not exist on the 31st, when the clock is put forward: it is 03:30.
    expect(times.map((time) => time.toISOString())).toEqual([
      '2030-03-30T01:30:00.000Z',
      '2030-03-31T01:30:00.000Z',
      '2030-04-01T00:30:00.000Z',
      '2030-04-02T00:30:00.000Z',
    ]);
    const none = scheduleTimes(environment.client, { ...wanted, key: 'other' }, range);
    await expect(none).rejects.toMatchObject({ type: 'ScheduleNotFound' });
  });
});

test('lists of schedules have those of one application, or of one job on request, page by page', async () => {
  const { taskQueue } = wish();
  await put(wish());
  const names = ['a', 'a', 'a', 'a.b', 'b'];
  await Promise.all(names.map((name, at) => put(wish({ taskQueue, name, key: `k${at}` }))));
  const { client } = environment;
  const all = await listedOnce(taskQueue, names.length);
  expect(all.schedules.map(({ key }) => key).sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
  const page = await listSchedules(client, { taskQueue, name: 'a', limit: 2 });
  expect(page.schedules).toHaveLength(2);
  const rest = await listSchedules(client, { taskQueue, name: 'a', limit: 2, cursor: page.cursor });
  expect([...page.schedules, ...rest.schedules].map(({ key }) => key).sort()).toEqual(['k0', 'k1', 'k2']);
  const other = listSchedules(client, { taskQueue, cursor: page.cursor });
  await expect(other).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'cursor' }] });
  const found = [];
  for await (const schedule of allSchedules(client, { taskQueue, limit: 2 })) found.push(schedule.key);
  expect(found.sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
});

test('schedule times that only Temporal rejects are bad input', async () => {
  // A zone that Node knows and Temporal does not, as if the check of the name had accepted it.
  const wanted = { ...wish({ every: '@daily' }), timeZone: 'europe/berlin' };
  await expect(put(wanted)).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'timeZone' }] });
});
