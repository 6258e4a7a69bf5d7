import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ERROR_KINDS, ReembedError } from '../../src/contract/errors.ts';
import { REFUSALS } from '../../src/contract/failures.ts';
import { type AnyTask, type Bound, defineTask } from '../../src/jobs/index.ts';
import { infoWhen, uniqueName, useJobs } from './support.ts';

const THROWN: Record<string, () => unknown> = {
  causes: () => new Error('outer', { cause: new TypeError('middle', { cause: new RangeError('inner') }) }),
  circle: () => {
    const error: Error = new Error('round');
    return Object.assign(error, { cause: new Error('and round', { cause: error }) });
  },
  many: () => new AggregateError([new Error('one'), new TypeError('two')], 'all of them'),
  object: () => ({ code: 42, message: 'no space' }),
  text: () => 'as text',
  nothing: () => undefined,
  own: () => new ReembedError('IndexLocked', 'as if it were ours'),
  temporal: () => ApplicationFailure.create({ type: 'WorkerStopped', message: 'as if it were ours' }),
  final: () => ApplicationFailure.nonRetryable('no use', 'IndexLocked'),
  retryable: () => Object.assign(new Error('a property of its own'), { retryable: false }),
};

let task: AnyTask;
let bound: AnyTask;
const world = useJobs('dev', (registry) => {
  const options = { registry, input: z.string(), maxAttempts: 2, backOff: { initial: '100ms' } } as const;
  task = defineTask({ ...options, name: 'throws' }, (what) => {
    if (what in THROWN) throw THROWN[what]?.();
    throw Object.assign(new Error('x'), { name: what });
  });
  bound = defineTask({ ...options, name: 'bound', bind: true }, (given, what) => uses(given, what));
});

async function uses({ heartbeat, control }: Bound, what: string): Promise<unknown> {
  if (what === 'cancel') return control.cancel('no-such-job');
  for (const details of [1n, { big: 2n }, () => {}, Symbol('s'), 'x'.repeat(100_000)]) heartbeat(details);
  await delay(2_500);
  return 'done';
}

const endOf = async (what: string) => (await task.delay(what)).wait({ timeoutMs: 90_000 });

describe('an error that a job throws', () => {
  test('is recorded with its causes, the nearest first, within limits of number and size', async () => {
    expect(await endOf('causes')).toMatchObject({
      status: 'exhausted',
      errors: [
        {
          type: 'Error',
          message: 'outer',
          causes: [
            { type: 'TypeError', message: 'middle' },
            { type: 'RangeError', message: 'inner' },
          ],
        },
        { message: 'outer' },
      ],
    });
    const [round] = (await endOf('circle')).errors;
    expect(round?.causes).toEqual([{ type: 'Error', message: 'and round' }]);
    const [many] = (await endOf('many')).errors;
    expect(many?.causes?.map(({ message }) => message)).toEqual(['one', 'two']);
  });

  test('is recorded as JSON or text when it is not an Error', async () => {
    const messages = await Promise.all(
      ['object', 'text', 'nothing'].map(async (what) => (await endOf(what)).errors[0]?.message),
    );
    expect(messages).toEqual(['{"code":42,"message":"no space"}', 'as text', 'undefined']);
  });

  const NAMES = [...Object.keys(ERROR_KINDS), ...REFUSALS, 'TaskExhausted', 'AbortError', 'CancelledFailure'];
  test('gets no special meaning from its name: the job uses all its attempts, and no more', async () => {
    const ends = await Promise.all([...new Set(NAMES)].map(async (name) => ({ name, ...(await endOf(name)) })));
    const odd = ends.filter(({ status, attempts }) => status !== 'exhausted' || attempts !== 2);
    expect(odd.map(({ name, status, attempts }) => ({ name, status, attempts }))).toEqual([]);
    const unnamed = ends.filter(({ name, errors }) => !errors.some(({ type }) => type === name));
    expect(unnamed.map(({ name }) => name)).toEqual([]);
  }, 180_000);

  test('is retried even if it has a class or property of the product or a class of Temporal', async () => {
    for (const what of ['own', 'temporal', 'retryable']) {
      expect(await endOf(what)).toMatchObject({ status: 'exhausted', attempts: 2 });
    }
  });

  test('ends the job as failed if it is non-retryable for Temporal', async () => {
    expect(await endOf('final')).toMatchObject({ status: 'failed', attempts: 1 });
  });
});

test('canceling a missing job fails the attempt, not the job', async () => {
  const sent = await bound.delay('cancel');
  expect(await sent.wait()).toMatchObject({ status: 'exhausted', attempts: 2, errors: [{ type: 'TaskNotFound' }, {}] });
});

test('a heartbeat accepts details of any kind', async () => {
  const sent = await bound.delay('heartbeat');
  expect(await sent.wait()).toMatchObject({ status: 'done', attempts: 1, data: { result: 'done' } });
});

test('the failure of a single attempt is described as such', async () => {
  const sent = await task.applyAsync('text', { maxAttempts: 1, backOff: undefined });
  expect((await sent.wait()).detail).toBe('the only attempt failed: as text');
});

describe('a job whose name no worker knows', () => {
  test('waits without using attempts, and runs when a worker knows it', async () => {
    const name = uniqueName('later');
    const elsewhere = defineTask({ name, input: z.string(), maxAttempts: 1 }, () => {});
    elsewhere.registry.connect(world.registry.connection);
    const sent = await elsewhere.delay('a');
    const waiting = await infoWhen(sent, ({ status, detail }) => status === 'waiting' && /has no task/.test(detail));
    expect(waiting).toMatchObject({ attempts: 1, errors: [] });
    expect(waiting.detail).toMatch(/since 20.*Z, asks again in \d+ s$/);
    defineTask({ name, registry: world.registry, input: z.string() }, () => 'known now');
    expect(await sent.wait()).toMatchObject({ status: 'done', attempts: 1, data: { result: 'known now' } });
  });

  test('waits for its startTimeout, and no longer', async () => {
    const elsewhere = defineTask({ name: uniqueName('never'), maxAttempts: 3, startTimeout: '3s' }, () => {});
    elsewhere.registry.connect(world.registry.connection);
    const ended = await (await elsewhere.delay()).wait();
    expect(ended).toMatchObject({ status: 'failed', attempts: 1, errors: [{ type: 'JobUnknown' }] });
    expect(ended.detail).toMatch(/nobody has known it since/);
  });

  test('waits in the same way when it was started by hand', async () => {
    const name = uniqueName('by-hand');
    const handle = await world.rig.start('job', { name, input: 'a' });
    const sent = { info: () => handle.query('tracker') } as Parameters<typeof infoWhen>[0];
    expect(await infoWhen(sent, ({ status }) => status === 'waiting')).toMatchObject({ attempts: 1, errors: [] });
    defineTask({ name, registry: world.registry, input: z.string() }, () => 1);
    expect(await handle.result()).toMatchObject({ status: 'done', attempts: 1 });
  });
});

describe('a running job with onDuplicate parallel', () => {
  const one = { input: z.string(), key: () => 'one', bind: true } as const;
  const hold = async ({ signal }: Bound) => delay(60_000, undefined, { signal });

  test.each([
    ['discard', 'ignored'],
    ['queue_one', 'waiting'],
    ['serial', 'waiting'],
  ] as const)('is taken into account by a job sent as %s', async (onDuplicate, status) => {
    const shared = defineTask({ ...one, name: uniqueName('shared'), registry: world.registry }, hold);
    const first = await shared.delay('a');
    await infoWhen(first, ({ detail }) => detail.startsWith('runs on'));
    const second = await shared.applyAsync('b', { onDuplicate });
    const seen = await infoWhen(second, (tracker) => tracker.status === status);
    if (status === 'ignored') {
      expect(seen.data.duplicateOf).toBe(first.id);
      await first.cancel();
      return;
    }
    expect(seen.detail).toBe(`waits for its turn behind ${first.id}`);
    await first.cancel();
    // It is notified immediately, before its lane checks again.
    await infoWhen(second, ({ detail }) => detail.startsWith('runs on'));
    await second.cancel();
  });

  test('is taken into account even if it was started by hand', async () => {
    const name = uniqueName('by-hand');
    const shared = defineTask({ ...one, name, registry: world.registry }, hold);
    const handle = await world.rig.start('job', { name, input: 'a' });
    const sent = { info: () => handle.query('tracker') } as Parameters<typeof infoWhen>[0];
    await infoWhen(sent, ({ detail }) => detail.startsWith('runs on'));
    const second = await shared.applyAsync('b', { onDuplicate: 'discard' });
    expect(second.tracker).toMatchObject({ status: 'ignored', data: { duplicateOf: handle.workflowId } });
    await handle.signal('cancel');
  });
});
