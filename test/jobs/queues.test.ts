import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type AnyTask, defineTask } from '../../src/jobs/index.ts';
import { infoWhen, uniqueName, useJobs } from './support.ts';

/** Order is exact where a queue has one partition. */
const ONE_PARTITION = ['matching.numTaskqueueReadPartitions=1', 'matching.numTaskqueueWritePartitions=1'];

describe('a queue whose only worker has one slot', () => {
  const ran: string[] = [];
  let held = false;
  let tasks: Record<'usual' | 'urgent' | 'tenant' | 'blocker', AnyTask>;
  useJobs(
    'dev',
    (registry) => {
      const definition = { registry, input: z.string() } as const;
      const run = (value: string) => void ran.push(value);
      tasks = {
        usual: defineTask({ ...definition, name: 'usual', priority: 4 }, run),
        urgent: defineTask({ ...definition, name: 'urgent', priority: 1 }, run),
        tenant: defineTask({ ...definition, name: 'tenant', fairnessKey: 'few' }, run),
        blocker: defineTask({ ...definition, name: 'blocker', bind: true, priority: 1 }, async ({ signal }) => {
          while (held) await delay(20, undefined, { signal });
        }),
      };
    },
    { jobs: { concurrency: 1 }, temporal: { dynamicConfig: ['matching.enableFairness=true', ...ONE_PARTITION] } },
  );

  /** Sends jobs while the slot is taken, one after the other, and returns the order in which they ran. */
  async function orderOf(sends: (() => ReturnType<AnyTask['applyAsync']>)[]): Promise<string[]> {
    ran.length = 0;
    held = true;
    const blocker = await tasks.blocker.applyAsync(uniqueName('blocker'));
    await infoWhen(blocker, ({ detail }) => detail.startsWith('runs on'));
    const sent = [];
    for (const send of sends) {
      const job = await send();
      await infoWhen(job, ({ detail }) => detail.startsWith('waits for a worker'));
      sent.push(job);
    }
    // The server has them all in its backlog.
    await delay(500);
    held = false;
    for (const job of sent) expect(await job.wait()).toMatchObject({ status: 'done' });
    return [...ran];
  }
  const many = (count: number, send: (at: number) => ReturnType<AnyTask['applyAsync']>) =>
    Array.from({ length: count }, (_, at) => () => send(at));

  test('runs a job with a better priority before a backlog of others: by its definition, and by its call', async () => {
    const order = await orderOf([
      ...many(8, (at) => tasks.usual.applyAsync(`usual ${at}`)),
      () => tasks.urgent.applyAsync('by definition'),
      () => tasks.usual.applyAsync('by call', { priority: 2 }),
      () => tasks.urgent.applyAsync('put last by its call', { priority: 5 }),
    ]);
    expect(order).toHaveLength(11);
    expect(order.slice(0, 2)).toEqual(['by definition', 'by call']);
    expect(order.at(-1)).toBe('put last by its call');
  });

  test('takes jobs from each fairness key in turn: by the definition, and by the call', async () => {
    const order = await orderOf([
      ...many(20, (at) => tasks.usual.applyAsync(`many ${at}`, { fairnessKey: 'many', priority: 3 })),
      ...many(2, (at) => tasks.tenant.applyAsync(`few ${at}`)),
      ...many(2, (at) => tasks.usual.applyAsync(`other ${at}`, { fairnessKey: 'other', priority: 3 })),
    ]);
    expect(order).toHaveLength(24);
    // First in, first out would put them behind all twenty.
    expect(order.slice(0, 15)).toEqual(expect.arrayContaining(['few 0', 'few 1', 'other 0', 'other 1']));
  });
});

describe('a queue with a rate', () => {
  const RATE = 5;
  const JOBS = 40;
  const startsMs: Record<string, number[]> = { rated: [], free: [] };
  let task: AnyTask;
  useJobs(
    'dev',
    (registry) => {
      const definition = {
        registry,
        name: 'counted',
        input: z.enum(['rated', 'free']),
        queue: (queue: string) => queue,
      };
      task = defineTask(definition, (queue) => void startsMs[queue]?.push(Date.now()));
    },
    {
      jobs: { queues: ['rated', 'free'], ratePerSecond: { rated: RATE } },
      temporal: { dynamicConfig: ONE_PARTITION },
    },
  );

  test('starts no more jobs per second than its rate, and slows down no other queue', async () => {
    const send = (queue: string) => Promise.all(Array.from({ length: JOBS }, () => task.applyAsync(queue)));
    // All at once, the queue without a rate first: if sending is slow, it is slow for both.
    const sent = (await Promise.all([send('free'), send('rated')])).flat();
    for (const job of sent) expect(await job.wait()).toMatchObject({ status: 'done' });
    const { rated = [], free = [] } = startsMs;
    expect([rated.length, free.length]).toEqual([JOBS, JOBS]);
    // The server may start one second's worth of jobs at once; a busy machine only makes it slower.
    const spanSeconds = (Math.max(...rated) - Math.min(...rated)) / 1_000;
    expect(spanSeconds).toBeGreaterThan((JOBS - 2 * RATE) / RATE);
    expect(Math.max(...free)).toBeLessThan(Math.max(...rated));
  });
});
