import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type AnyTask, type Bound, defineTask, NonRetryableError } from '../../src/jobs/index.ts';
import { infoWhen, useJobs } from './support.ts';

const anything = z.any();
const seen: { bound: Bound | undefined; args: unknown[] } = { bound: undefined, args: [] };
let send: AnyTask['delay'];
let tasks: Record<
  'echo' | 'throws' | 'hopeless' | 'never' | 'stubborn' | 'bound' | 'big' | 'circular' | 'nobody',
  AnyTask
>;

const world = useJobs('dev', (registry) => {
  const once = { registry, input: anything, maxAttempts: 1 } as const;
  tasks = {
    echo: defineTask({ ...once, name: 'echo' }, (input) => ({ echo: input })),
    throws: defineTask({ registry, name: 'throws', maxAttempts: 2, backOff: { initial: '100ms' } }, () => {
      throw new RangeError('out of range');
    }),
    hopeless: defineTask({ registry, name: 'hopeless' }, () => {
      throw new NonRetryableError('no use');
    }),
    never: defineTask({ ...once, name: 'never', timeout: '300ms', bind: true }, ({ signal }) =>
      delay(60_000, 0, { signal }),
    ),
    stubborn: defineTask({ ...once, name: 'stubborn', timeout: '300ms' }, () => new Promise(() => {})),
    bound: defineTask({ ...once, name: 'bound', bind: true }, (bound, input) => {
      Object.assign(seen, { bound, args: [bound, input] });
    }),
    nobody: defineTask({ ...once, name: 'nobody', startTimeout: '1500ms' }, () => {}),
    big: defineTask({ registry, name: 'big' }, () => 'x'.repeat(300_000)),
    circular: defineTask({ registry, name: 'circular' }, () => {
      const loop: Record<string, unknown> = {};
      loop.self = loop;
      return loop;
    }),
  };
  send = tasks.echo.delay;
});

describe('a job', () => {
  test('runs its function, and its tracker has the result', async () => {
    const sent = await send({ a: 1 });
    expect(sent.tracker).toMatchObject({ type: 'job', status: 'pending', data: { name: 'echo' } });
    expect(await sent.result()).toEqual({ echo: { a: 1 } });
    expect(await sent.info()).toMatchObject({
      ...{ status: 'done', attempts: 1, maxAttempts: 1, errors: [] },
      data: { name: 'echo', queue: 'default', result: { echo: { a: 1 } } },
    });
  });

  test('is the same job for the same id and input, and is refused for another input', async () => {
    const sent = await tasks.echo.applyAsync(1, { taskId: 'same' });
    await sent.wait();
    expect((await tasks.echo.applyAsync(1, { taskId: 'same' })).tracker).toMatchObject({ status: 'done' });
    await expect(tasks.echo.applyAsync(2, { taskId: 'same' })).rejects.toMatchObject({ type: 'TaskLocked' });
  });

  test('is retried when it throws, and its tracker has every error with name, message and stack', async () => {
    const tracker = await (await tasks.throws.delay(undefined)).wait();
    expect(tracker).toMatchObject({ status: 'exhausted', attempts: 2 });
    expect(tracker.errors).toHaveLength(2);
    expect(tracker.errors[0]).toMatchObject({ type: 'RangeError', message: 'out of range', attempt: 2 });
    expect(tracker.errors[0]?.stack).toContain('run.test.ts');
  });

  test('fails immediately when its error is not retryable', async () => {
    const sent = await tasks.hopeless.delay(undefined);
    expect(await sent.wait()).toMatchObject({ status: 'failed', attempts: 1, detail: 'no use' });
    await expect(sent.result()).rejects.toMatchObject({
      type: 'TaskFailed',
      message: expect.stringContaining('no use'),
    });
  });

  test('fails as TaskTimeout after its timeout, even if it ignores its signal', async () => {
    for (const task of [tasks.never, tasks.stubborn]) {
      expect(await (await task.delay(undefined)).wait()).toMatchObject({
        status: 'exhausted',
        errors: [{ type: 'TaskTimeout', message: expect.stringContaining('longer than its timeout of 300ms') }],
      });
    }
  });

  test('fails as JobResultInvalid when its result is not JSON or too large', async () => {
    for (const task of [tasks.big, tasks.circular]) {
      expect(await (await task.delay(undefined)).wait()).toMatchObject({
        status: 'failed',
        errors: [{ type: 'JobResultInvalid' }],
      });
    }
  });

  test('gets its id, worker, attempt and signal before its input with bind; a call may change that', async () => {
    const sent = await tasks.bound.delay('in');
    await sent.wait();
    expect(seen.bound).toMatchObject({
      uuid: sent.id,
      attempt: 1,
      workerId: expect.stringContaining(`${process.pid}@`),
    });
    expect(seen.args[1]).toBe('in');
    await (await tasks.bound.applyAsync('in', { bind: false })).wait();
    expect(seen.args).toEqual(['in', undefined]);
  });

  test('is canceled by its signal while it runs, and its end is confirmed', async () => {
    const sent = await tasks.never.applyAsync(undefined, { timeout: '1h' });
    const running = await infoWhen(sent, ({ data }) => typeof data.workerId === 'string');
    expect(running).toMatchObject({ status: 'processing', detail: `runs on ${running.data.workerId}` });
    expect(await sent.cancel('enough')).toMatchObject({ status: 'canceled', detail: 'canceled: enough' });
  });

  test('reports a queue without workers while it waits, and fails as NoWorker after its startTimeout', async () => {
    const sent = await tasks.nobody.applyAsync(undefined, { queue: 'nobody' });
    await infoWhen(sent, ({ detail }) => detail === 'waits for a worker of the queue nobody');
    expect(await sent.wait()).toMatchObject({
      status: 'failed',
      detail: 'no worker of the queue nobody took it up within 1500ms',
      errors: [{ type: 'NoWorker' }],
    });
  });

  test('lists running jobs and their workers with its control, and cancels others', async () => {
    const running = await tasks.never.applyAsync(undefined, { timeout: '1h' });
    await infoWhen(running, ({ data }) => typeof data.workerId === 'string');
    await (await tasks.bound.delay(null)).wait();
    const { control, workerId } = seen.bound as Bound;
    await vi.waitFor(
      async () =>
        expect(await control.running({ name: 'never' })).toMatchObject([{ id: running.id, name: 'never', workerId }]),
      { timeout: 90_000 },
    );
    const [worker, ...others] = await control.workers(['mail']);
    expect(others).toEqual([]);
    expect(worker).toMatchObject({ workerId, queues: ['default'], running: [running.id] });
    expect(Date.now() - Date.parse(worker?.lastSeen ?? '')).toBeLessThan(300_000);
    expect(await control.cancel(running.id, 'by another')).toMatchObject({ status: 'canceled' });
  });

  test('is checked by a worker that knows its definition when it was started by hand', async () => {
    expect(await world.rig.run('job', { name: 'echo', input: { b: 2 }, priority: 1 })).toMatchObject({
      status: 'done',
      maxAttempts: 1,
      data: { result: { echo: { b: 2 } } },
    });
    expect(await world.rig.run('job', { name: 'echo', timeOut: 3 } as never)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('timeOut: is not a known field'),
    });
    expect(await world.rig.run('job', { name: 'echo', taskId: 'another' } as never)).toMatchObject({
      status: 'failed',
      detail: 'taskId: must be the id of the workflow, or be left out',
    });
    for (const input of [undefined, 'text', {}]) {
      expect(await world.rig.run('job', input as never)).toMatchObject({ errors: [{ type: 'InvalidInput' }] });
    }
  });
});
