import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createRegistry, defineTask, type Registry, syncSchedules } from '../../src/jobs/index.ts';
import { listSchedules } from '../../src/temporal/schedules/list.ts';
import { startTemporal } from '../support/rig.ts';

const noop = () => {};

/** A registry with one task that takes an input and one that takes none. */
function givenTasks(registry: Registry = createRegistry()) {
  const input = z.strictObject({ to: z.string() });
  const report = defineTask({ name: 'report', registry, input, queue: ({ to }) => to }, noop);
  const check = defineTask({ name: 'check', registry }, noop);
  return { registry, report, check };
}

describe('declaring a schedule', () => {
  test.each([
    [{ every: 'often' }, 'every'],
    [{ every: '61 * * * *' }, 'every'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ every: '1h', timeZone: 'UTC' }, 'timeZone'],
    [{ jitter: 'some' }, 'jitter'],
    [{ catchUp: '5s' }, 'catchUp'],
    [{ overlap: 'maybe' }, 'overlap'],
    [{ key: 'a/b' }, 'key'],
    [{ ifExists: 'refuse' }, 'ifExists'],
    [{ options: { delay: '1h' } }, 'options.delay'],
    [{ options: { timeout: 'long' } }, 'options.timeout'],
    [{ often: true }, 'often'],
  ])('refuses %j immediately and names the field', (change: Record<string, unknown>, path) => {
    const { report } = givenTasks();
    const { every = '@daily', ...options } = change;
    const declare = () => report.every(every as string, { to: 'a' }, options as never);
    expect(declare).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
    try {
      declare();
    } catch (error) {
      expect(error).toMatchObject({ issues: [{ path }] });
    }
  });

  test('is refused for a key that the task has already declared', () => {
    const { report, check } = givenTasks();
    check.every('1m');
    check.every('1h', undefined, { key: 'hourly' });
    report.every('1m', { to: 'a' });
    expect(() => check.every('5m')).toThrow(expect.objectContaining({ type: 'NameTaken' }));
  });
});

describe('schedules on a server', () => {
  let environment: TestWorkflowEnvironment;
  beforeAll(async () => {
    environment = await startTemporal('dev');
  });
  afterAll(() => environment?.teardown());

  /** The next version of an application: its tasks and their declarations. */
  function release(taskQueue: string, declare: (tasks: ReturnType<typeof givenTasks>) => void) {
    const tasks = givenTasks();
    const connection = { client: environment.client, taskQueue };
    tasks.registry.connect(connection);
    declare(tasks);
    return {
      ...tasks,
      start: (options?: { prune?: boolean }) => syncSchedules(tasks.registry, connection, options),
    };
  }

  const keysOf = async (taskQueue: string) => {
    const { schedules } = await listSchedules(environment.client, { taskQueue });
    return schedules.map(({ name, key }) => `${name}/${key}`).sort();
  };

  test('are created at the start, changed at the next one, and removed only with prune', async () => {
    const taskQueue = `app-${randomUUID()}`;
    const first = release(taskQueue, ({ report, check }) => {
      check.every('1m');
      report.every('0 9 * * *', { to: 'a' }, { key: 'a', timeZone: 'Europe/Berlin', options: { timeout: '5m' } });
      report.every('0 9 * * *', { to: 'b' }, { key: 'b' });
    });
    expect(await first.start()).toEqual({ created: 3, updated: 0, unchanged: 0, removed: 0 });
    expect(await first.report.schedule('a').info()).toMatchObject({
      every: '0 9 * * *',
      timeZone: 'Europe/Berlin',
      input: { to: 'a' },
      options: { timeout: '5m' },
      declared: true,
    });
    // Created by name, not declared.
    await first.report.schedule('customer-7').put('1d', { to: 'c' });
    expect(await first.start()).toEqual({ created: 0, updated: 0, unchanged: 3, removed: 0 });

    const second = release(taskQueue, ({ report, check }) => {
      check.every('5m');
      report.every('0 9 * * *', { to: 'a' }, { key: 'a', timeZone: 'Europe/Berlin', options: { timeout: '5m' } });
    });
    await vi.waitFor(async () => expect(await keysOf(taskQueue)).toHaveLength(4), 90_000);
    expect(await second.start()).toEqual({ created: 0, updated: 1, unchanged: 1, removed: 0 });
    expect(await second.check.schedule().info()).toMatchObject({ every: '5m' });
    expect(await second.start({ prune: true })).toEqual({ created: 0, updated: 0, unchanged: 2, removed: 1 });
    const left = ['check/default', 'report/a', 'report/customer-7'];
    await vi.waitFor(async () => expect(await keysOf(taskQueue)).toEqual(left), 90_000);
  });

  test('are synchronized for a task in its own registry by the registry that it was added to', async () => {
    const app = release(`app-${randomUUID()}`, ({ check }) => check.every('1m'));
    const all = createRegistry();
    all.add(app.check);
    const connection = app.registry.connection;
    expect(await syncSchedules(all, connection)).toMatchObject({ created: 1 });
    expect(await syncSchedules(createRegistry(), connection)).toMatchObject({ created: 0, unchanged: 0 });
  });

  test('are not removed by prune if they belong to another application', async () => {
    const [one, other] = [`app-${randomUUID()}`, `app-${randomUUID()}`];
    await release(other, ({ check }) => check.every('1m')).start();
    await vi.waitFor(async () => expect(await keysOf(other)).toHaveLength(1), 90_000);
    expect(await release(one, () => {}).start({ prune: true })).toMatchObject({ removed: 0 });
    expect(await keysOf(other)).toEqual(['check/default']);
  });

  test('stay paused at the next start after a person paused them', async () => {
    const app = release(`app-${randomUUID()}`, ({ check }) => check.every('1m'));
    await app.start();
    await app.check.schedule().pause('the disk is full');
    expect(await app.start()).toMatchObject({ unchanged: 1 });
    expect(await app.check.schedule().info()).toMatchObject({ paused: true, note: 'the disk is full' });
  });

  test('stop the start before anything changes if their input is invalid', async () => {
    const app = release(`app-${randomUUID()}`, ({ report, check }) => {
      check.every('1m');
      report.every('1m', { to: 7 } as never);
    });
    await expect(app.start()).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'input.to' }] });
    await expect(app.check.schedule().info()).rejects.toMatchObject({ type: 'ScheduleNotFound' });
    const wrong = app.report.schedule().put('1m', { to: 'a' }, { options: { key: 'x' } });
    await expect(wrong).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'options.key' }] });
  });

  test('can be steered by task and key', async () => {
    const { check } = release(`app-${randomUUID()}`, () => {});
    const schedule = check.schedule('nightly');
    expect(await schedule.put('0 2 * * *', undefined, { note: 'quiet hours' })).toMatchObject({
      key: 'nightly',
      note: 'quiet hours',
      declared: false,
    });
    await expect(schedule.put('1h', undefined, { ifExists: 'refuse' })).rejects.toMatchObject({
      type: 'ScheduleExists',
    });
    expect((await schedule.pause()).paused).toBe(true);
    expect((await schedule.resume()).paused).toBe(false);
    expect(await schedule.run()).toMatchObject({ outcome: 'started' });
    const range = { from: new Date('2030-01-01T00:00:00Z'), until: new Date('2030-01-02T00:00:00Z') };
    expect(await schedule.times(range)).toEqual([new Date('2030-01-01T02:00:00Z')]);
    await schedule.remove();
    await expect(schedule.info()).rejects.toMatchObject({ type: 'ScheduleNotFound' });
  });
});
