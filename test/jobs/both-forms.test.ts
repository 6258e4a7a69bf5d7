import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { CallOptions } from '../../src/contract/jobs.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { type AnyTask, type Bound, defineTask, type Registry, type SentJob } from '../../src/jobs/index.ts';
import { infoWhen, uniqueName, useJobs } from './support.ts';

type Sent = SentJob<unknown>;
type Send = (value: string, more?: CallOptions) => Promise<Sent>;

interface Case {
  option: keyof CallOptions;
  /** The value in a definition, and the value in a call. */
  value: unknown;
  inCall?: unknown;
  /** The rest of the definition; the call overrides the `option` in it. */
  beside?: Record<string, unknown>;
  does: string;
  shows(send: Send): Promise<void>;
}

const ended = (job: Sent): Promise<Tracker> => job.wait({ timeoutMs: 90_000 });
async function waits(job: Sent, pattern: RegExp): Promise<void> {
  await infoWhen(job, ({ detail }) => pattern.test(detail));
  await job.cancel();
}
/** The first runs until it is canceled; then those that were sent while it ran. */
async function sendBehind(send: Send, values: string[]): Promise<Sent[]> {
  const first = await send('hold');
  await infoWhen(first, ({ detail }) => detail.startsWith('runs on'));
  const jobs: Sent[] = [];
  for (const value of values) jobs.push(await send(value));
  await first.cancel();
  return [first, ...jobs];
}
const one = () => 'one';

const CASES: Case[] = [
  {
    option: 'timeout',
    value: '700ms',
    beside: { timeout: '1h', maxAttempts: 1 },
    does: 'ends an attempt',
    shows: async (send) => expect(await ended(await send('hold'))).toMatchObject({ errors: [{ type: 'TaskTimeout' }] }),
  },
  {
    option: 'queue',
    value: 'other',
    beside: { queue: 'default' },
    does: 'names whose workers run it',
    shows: async (send) => expect(await ended(await send('a'))).toMatchObject({ data: { queue: 'other', result: 1 } }),
  },
  {
    option: 'bind',
    value: true,
    beside: { bind: false },
    does: 'gives the function more than its input',
    shows: async (send) => expect(await ended(await send('a'))).toMatchObject({ data: { result: 2 } }),
  },
  {
    option: 'maxAttempts',
    value: 2,
    beside: { maxAttempts: 1, backOff: undefined },
    does: 'tries again',
    async shows(send) {
      const job = await send('fail');
      await infoWhen(job, ({ status }) => status === 'failed');
      await job.restart();
      expect(await ended(job)).toMatchObject({ status: 'exhausted', attempts: 2 });
    },
  },
  {
    option: 'backOff',
    value: { initial: '1h', max: '2h' },
    beside: { backOff: { initial: '1s' } },
    does: 'says how long it waits before it tries again',
    shows: async (send) => waits(await send('fail'), /again in 3600 s/),
  },
  {
    option: 'delay',
    value: '1h',
    beside: { delay: '0s' },
    does: 'holds it back',
    shows: async (send) => waits(await send('a'), /^will run at/),
  },
  {
    option: 'startTimeout',
    value: '1s',
    beside: { startTimeout: '1h', queue: 'nobody' },
    does: 'gives up a queue without workers',
    shows: async (send) => expect(await ended(await send('a'))).toMatchObject({ errors: [{ type: 'NoWorker' }] }),
  },
  {
    option: 'isolate',
    value: 'thread',
    beside: { isolate: 'none' },
    does: 'is refused by a worker that was given no modules',
    shows: async (send) => expect(await ended(await send('a'))).toMatchObject({ errors: [{ type: 'InvalidSetting' }] }),
  },
  {
    option: 'onDuplicate',
    value: 'discard',
    beside: { onDuplicate: 'serial', key: one },
    does: 'ignores the second one',
    async shows(send) {
      const [first, second] = await sendBehind(send, ['a']);
      expect(second?.tracker).toMatchObject({ status: 'ignored', data: { duplicateOf: first?.id } });
    },
  },
  {
    option: 'key',
    value: one,
    inCall: 'one',
    beside: { onDuplicate: 'discard', key: (value: string) => value },
    does: 'makes jobs of different input duplicates',
    async shows(send) {
      const [first, second] = await sendBehind(send, ['a']);
      expect(second?.tracker).toMatchObject({ status: 'ignored', data: { duplicateOf: first?.id } });
    },
  },
  {
    option: 'newest',
    value: true,
    beside: { onDuplicate: 'queue_one', newest: false, key: one },
    does: 'runs the one that waits with the newest input',
    async shows(send) {
      const [, waiting] = await sendBehind(send, ['older', 'newest']);
      expect(await ended(waiting as Sent)).toMatchObject({ data: { newestInput: 'newest' } });
    },
  },
];

describe.each(CASES)('$option $does', ({ option, value, inCall = value, beside = {}, shows }) => {
  const { [option]: overridden, ...rest } = beside;
  const forms = {
    'of the definition': { definition: { ...rest, [option]: value }, call: {} },
    'of one call, over that of the definition': {
      definition: { ...rest, ...(overridden !== undefined && { [option]: overridden }) },
      call: { [option]: inCall },
    },
  };
  test.each(Object.entries(forms))('when it is an option %s', async (_form, { definition, call }) => {
    const task = define(definition);
    await shows((given) => task.applyAsync(given, call as CallOptions));
  });
});

const world = useJobs('dev', (registry) => register(registry), { jobs: { queues: ['default', 'other'] } });

/** Workers look a name up when they run a job: tasks can be defined while they run. */
function define(definition: Record<string, unknown>): AnyTask {
  return register(world.registry, definition);
}

function register(registry: Registry, definition: Record<string, unknown> = {}): AnyTask {
  const usual = { registry, name: uniqueName('task'), input: z.string() };
  return defineTask({ ...usual, ...definition } as typeof usual & { bind: true }, run as never) as AnyTask;
}

/** Answers with the number of its arguments. */
async function run(...args: [Bound, string] | [string]): Promise<number> {
  const value = args.at(-1);
  if (value === 'fail') throw new RangeError('as it was asked to');
  // A canceled one is abandoned after a while.
  if (value === 'hold') await delay(3_600_000, undefined, { ref: false });
  return args.length;
}
