import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { laneIdOf } from '../../src/contract/names.ts';
import { type AnyTask, defineTask, type SentJob } from '../../src/jobs/index.ts';
import { infoWhen, uniqueName, useJobs } from './support.ts';

/** What the jobs of a key have run, and whether they may end. */
interface Scene {
  key: string;
  ran: string[];
  held: boolean;
  send(task: AnyTask, value: string, options?: object): Promise<SentJob<unknown>>;
  untilRan(value: string): Promise<void>;
}
const scenes = new Map<string, Scene>();
let tasks: Record<'serial' | 'queueOne' | 'discard' | 'quick', AnyTask>;

const world = useJobs('dev', (registry) => {
  const definition = {
    registry,
    input: z.object({ key: z.string(), value: z.string() }),
    key: ({ key }: { key: string }) => key,
    bind: true,
  } as const;
  const run = async ({ signal }: { signal: AbortSignal }, { key, value }: { key: string; value: string }) => {
    const scene = scenes.get(key);
    scene?.ran.push(value);
    while (scene?.held) await delay(20, undefined, { signal });
  };
  tasks = {
    serial: defineTask({ ...definition, name: 'serial', onDuplicate: 'serial' }, run),
    queueOne: defineTask({ ...definition, name: 'queue-one', onDuplicate: 'queue_one', newest: true }, run),
    discard: defineTask({ ...definition, name: 'discard', onDuplicate: 'discard' }, run),
    quick: defineTask({ ...definition, name: 'quick', onDuplicate: 'discard' }, (_bound, { key, value }) => {
      scenes.get(key)?.ran.push(value);
    }),
  };
});

function given(): Scene {
  const key = uniqueName('key');
  const scene: Scene = {
    ...{ key, ran: [], held: true },
    send: (task, value, options = {}) => task.applyAsync({ key, value }, options),
    untilRan: async (value) => {
      while (!scene.ran.includes(value)) await delay(20);
    },
  };
  scenes.set(key, scene);
  return scene;
}

// They wait for up to a minute, each with a key of its own.
describe.concurrent('a job that waits for its turn', () => {
  test('names the job before it, leaves the queue when canceled, and does not jump it by a restart', async () => {
    const scene = given();
    const { ran, send, untilRan } = scene;
    const first = await send(tasks.serial, 'first');
    const second = await send(tasks.serial, 'second');
    const third = await send(tasks.serial, 'third');
    await untilRan('first');
    await infoWhen(third, ({ detail }) => detail === `waits for its turn behind ${second.id}`);
    await third.restart();
    expect(await third.info()).toMatchObject({ status: 'waiting' });
    expect(await second.cancel()).toMatchObject({ status: 'canceled' });
    scene.held = false;
    await Promise.all([first.wait(), third.wait()]);
    expect(ran).toEqual(['first', 'third']);
  });

  test('runs with the newest input of its duplicates with queue_one and newest', async () => {
    const scene = given();
    const { ran, send, untilRan } = scene;
    const first = await send(tasks.queueOne, 'old');
    await untilRan('old');
    const waiting = await send(tasks.queueOne, 'newer');
    const ignored = await send(tasks.queueOne, 'newest');
    expect(ignored.tracker).toMatchObject({ status: 'ignored', data: { duplicateOf: waiting.id } });
    await expect(ignored.result()).rejects.toMatchObject({ type: 'TaskFailed', reason: 'ignored' });
    expect(await ignored.info()).toMatchObject({ status: 'ignored', data: ignored.tracker.data });
    scene.held = false;
    await Promise.all([first.wait(), waiting.wait()]);
    expect(ran).toEqual(['old', 'newest']);
  });

  test('runs soon after the job before it was terminated', async () => {
    const scene = given();
    const { send, untilRan } = scene;
    const first = await send(tasks.serial, 'first');
    await untilRan('first');
    const second = await send(tasks.serial, 'second');
    await world.environment.client.workflow.getHandle(first.id).terminate('by an operator');
    await untilRan('second');
    scene.held = false;
    expect(await second.wait()).toMatchObject({ status: 'done' });
  });

  test('is admitted by the next lane after an operator terminated its lane', async () => {
    const scene = given();
    const { key, send, untilRan } = scene;
    const first = await send(tasks.serial, 'first');
    await untilRan('first');
    const second = await send(tasks.serial, 'second');
    const keyHash = createHash('sha256').update(key).digest('hex').slice(0, 32);
    const laneId = laneIdOf(world.rig.taskQueue, 'serial', keyHash);
    await world.environment.client.workflow.getHandle(laneId).terminate();
    scene.held = false;
    await first.wait();
    expect(await second.wait({ timeoutMs: 150_000 })).toMatchObject({ status: 'done' });
  });
});

describe('a lane', () => {
  test('refuses requests of strangers that make no sense, and drops a job that nobody has started', async () => {
    const scene = given();
    const { key, ran, send, untilRan } = scene;
    const first = await send(tasks.serial, 'first');
    await untilRan('first');
    const keyHash = createHash('sha256').update(key).digest('hex').slice(0, 32);
    const lane = world.environment.client.workflow.getHandle(laneIdOf(world.rig.taskQueue, 'serial', keyHash));
    const ghost = { taskId: uniqueName('ghost'), runId: randomUUID(), onDuplicate: 'serial', job: { name: 'serial' } };
    for (const odd of [
      { runId: 'no-run' },
      { runId: 7 },
      { taskId: '' },
      { onDuplicate: 'never' },
      { job: 'serial' },
    ]) {
      const update = lane.executeUpdate('enter', { args: [{ ...ghost, ...odd }] });
      await expect(update).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    }
    for (const left of [[], [null], ['text'], [{}], [{ taskId: first.id, runId: 7 }]])
      await lane.signal('leave', ...left);
    expect(await lane.executeUpdate('enter', { args: [ghost] })).toEqual({ kind: 'waits', behind: first.id });
    const second = await send(tasks.serial, 'second');
    await infoWhen(second, ({ detail }) => detail === `waits for its turn behind ${ghost.taskId}`);
    scene.held = false;
    expect(await second.wait()).toMatchObject({ status: 'done' });
    expect(ran).toEqual(['first', 'second']);
  });

  test('gives a repeated job the same answer, and refuses its id for another input', async () => {
    const scene = given();
    const { key, ran, send } = scene;
    const first = await send(tasks.discard, 'a', { taskId: key });
    const again = await send(tasks.discard, 'a', { taskId: key });
    expect([first, again].map(({ tracker }) => tracker.status)).not.toContain('ignored');
    await expect(send(tasks.discard, 'b', { taskId: key })).rejects.toMatchObject({ type: 'TaskLocked' });
    const other = `${key}-other`;
    const ignored = [
      await send(tasks.discard, 'c', { taskId: other }),
      await send(tasks.discard, 'c', { taskId: other }),
    ];
    expect(ignored.map(({ tracker }) => tracker.data.duplicateOf)).toEqual([key, key]);
    const [forced] = ignored;
    await expect(forced?.restart()).rejects.toMatchObject({ type: 'TaskClosed' });
    await forced?.restart({ force: true });
    expect(await forced?.wait()).toMatchObject({ status: 'ignored', data: { duplicateOf: key } });
    scene.held = false;
    await first.wait();
    expect(ran).toEqual(['a']);
    await forced?.restart({ force: true });
    expect(await forced?.wait()).toMatchObject({ status: 'done' });
    expect(ran).toEqual(['a', 'c']);
  });

  test('also admits jobs that were started by hand: a discarded one ends as ignored', async () => {
    const scene = given();
    const { key, ran, send, untilRan } = scene;
    const first = await send(tasks.discard, 'first');
    await untilRan('first');
    const byHand = await world.rig.run('job', { name: 'discard', input: { key, value: 'by hand' } });
    expect(byHand).toMatchObject({
      status: 'ignored',
      detail: `duplicate of job ${first.id}`,
      data: { duplicateOf: first.id },
    });
    scene.held = false;
    await first.wait();
    expect((await first.restart()).status).not.toBe('ignored');
    await infoWhen(first, ({ status, attempts }) => status === 'done' && attempts === 2);
    expect(ran).toEqual(['first', 'first']);
  });

  test('loses no job that arrives when it is about to end', async () => {
    // It ends two seconds after its last job: these arrive around that moment.
    await Promise.all(
      Array.from({ length: 12 }, async (_, at) => {
        const { ran, send } = given();
        await (await send(tasks.quick, 'first')).wait();
        await delay(1_700 + at * 60);
        const second = await send(tasks.quick, 'second');
        expect(await second.wait({ timeoutMs: 90_000 })).toMatchObject({ status: 'done' });
        expect(ran).toEqual(['first', 'second']);
      }),
    );
  });
});
