import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type AnyTask, createRegistry, defineTask } from '../../src/jobs/index.ts';
import { infoWhen, useJobs } from './support.ts';

let tasks: Record<'clock' | 'fails' | 'lost' | 'slow', AnyTask>;
let attemptsMs: number[] = [];

const world = useJobs('time-skipping', (registry) => {
  tasks = {
    clock: defineTask({ registry, name: 'clock', input: z.any() }, () => world.environment.currentTimeMs()),
    fails: defineTask(
      { registry, name: 'fails', maxAttempts: 4, backOff: { initial: '1m', factor: 3, max: '5m' } },
      async () => {
        attemptsMs.push(await world.environment.currentTimeMs());
        throw new Error('always');
      },
    ),
    slow: defineTask({ registry, name: 'slow', timeout: '200ms', maxAttempts: 2 }, () => new Promise(() => {})),
    // Its definition was removed from the code of the workers.
    lost: defineTask({ registry: createRegistry(), name: 'lost', backOff: { initial: '1h' } }, () => {}),
  };
});

const nowMs = () => world.environment.currentTimeMs();

describe('a job, on a server whose clock runs ahead', () => {
  test('runs at its time, and never before', async () => {
    const at = new Date((await nowMs()) + 48 * 3_600_000);
    const sent = await tasks.clock.at(at, null);
    expect(await infoWhen(sent, ({ status }) => status === 'waiting')).toMatchObject({
      detail: `will run at ${at.toISOString()}`,
      data: { name: 'clock' },
    });
    const handle = world.environment.client.workflow.getHandle(sent.id);
    await handle.result();
    const ranMs = await sent.result();
    expect(ranMs).toBeGreaterThanOrEqual(at.getTime());
    expect(ranMs).toBeLessThan(at.getTime() + 60_000);
  });

  test('can be canceled during its delay, and restart runs it immediately', async () => {
    const canceled = await tasks.clock.applyAsync(null, { delay: '100d' });
    await infoWhen(canceled, ({ status }) => status === 'waiting');
    expect(await canceled.cancel('not needed')).toMatchObject({ status: 'canceled' });
    const hurried = await tasks.clock.applyAsync(null, { delay: '100d' });
    await infoWhen(hurried, ({ status }) => status === 'waiting');
    await hurried.restart();
    const { createTime, data } = await infoWhen(hurried, ({ status }) => status === 'done');
    expect(Number(data.result) - Date.parse(createTime)).toBeLessThan(3_600_000);
  });

  test('runs immediately when it was canceled before its time and is restarted', async () => {
    const sent = await tasks.clock.applyAsync(null, { delay: '100d' });
    await infoWhen(sent, ({ status }) => status === 'waiting');
    await sent.cancel();
    await sent.restart();
    expect(await infoWhen(sent, ({ status }) => status === 'done')).toMatchObject({ attempts: 2 });
  });

  test('is exhausted after its attempts when it always fails, with its own back-off between them', async () => {
    attemptsMs = [];
    const sent = await tasks.fails.delay(undefined);
    await expect(world.environment.client.workflow.getHandle(sent.id).result()).rejects.toMatchObject({
      cause: { type: 'TaskExhausted' },
    });
    expect(await sent.info()).toMatchObject({ status: 'exhausted', attempts: 4, maxAttempts: 4 });
    const pauses = attemptsMs.slice(1).map((ms, at) => Math.floor((ms - (attemptsMs[at] ?? 0)) / 60_000));
    expect(pauses).toEqual([1, 3, 5]);
  });

  test('waits when no worker has its definition, uses no attempt, and fails as JobUnknown', async () => {
    tasks.lost.registry.connect(world.registry.connection);
    const sent = await tasks.lost.delay(undefined);
    const handle = world.environment.client.workflow.getHandle(sent.id);
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'TaskFailed' } });
    const tracker = await sent.info();
    expect(tracker).toMatchObject({ status: 'failed', attempts: 1, errors: [{ type: 'JobUnknown' }] });
    expect(Date.parse(tracker.updateTime) - Date.parse(tracker.createTime)).toBeGreaterThanOrEqual(24 * 3_600_000);
    expect(tracker.detail).toContain('nobody has known it since');
    // A day in steps of a minute: minutes of real time on a busy machine.
  }, 600_000);

  test('fails each attempt as TaskTimeout after its timeout', async () => {
    const tracker = await (await tasks.slow.delay(undefined)).wait();
    expect(tracker).toMatchObject({ status: 'exhausted', errors: [{ type: 'TaskTimeout' }, { type: 'TaskTimeout' }] });
  });
});
