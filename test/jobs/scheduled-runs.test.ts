import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type AnyTask, defineTask, type Overlap, type ScheduleHandle } from '../../src/jobs/index.ts';
import { getTracker } from '../../src/temporal/index.ts';
import { useJobs } from './support.ts';

/** Started runs of the task `gated`, and how each is released. */
const gates: { id: string; open: () => void }[] = [];
let tasks: Record<'tick' | 'gated' | 'alone', AnyTask>;

const world = useJobs('dev', (registry) => {
  const input = z.object({ n: z.int() });
  const once = { registry, bind: true, maxAttempts: 1 } as const;
  tasks = {
    tick: defineTask({ name: 'tick', registry, input }, ({ n }) => ({ n })),
    gated: defineTask(
      { ...once, name: 'gated' },
      ({ uuid, signal }) =>
        new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          gates.push({ id: uuid, open: resolve });
        }),
    ),
    alone: defineTask({ ...once, name: 'alone', onDuplicate: 'discard' }, ({ signal }) => delay(60_000, 0, { signal })),
  };
});

const info = (taskId: string | null) => getTracker(world.environment.client, `${taskId}`);
const within = { timeout: 90_000, interval: 50 };

/** Waits until a schedule has started this number of runs. */
async function startedRuns(schedule: ScheduleHandle<never>, least: number) {
  return vi.waitFor(async () => {
    const { recent } = await schedule.info();
    expect(recent.length).toBeGreaterThanOrEqual(least);
    return recent;
  }, within);
}

describe('a schedule starts its job', () => {
  test.each([
    ['after equal lengths of time', '1s', 1],
    ['at the times of a cron expression', '*/2 * * * * * *', 2],
  ])('%s, never early, and each run is a normal task', async (_how, every, seconds) => {
    const schedule = tasks.tick.schedule(`every-${seconds}`);
    await schedule.put(every, { n: 7 }, { options: { maxAttempts: 5 }, overlap: 'allow_all' });
    const runs = (await startedRuns(schedule as never, 3)).slice(0, 3);
    await schedule.remove();
    for (const { dueTime, startTime, taskId } of runs) {
      expect(Date.parse(dueTime) % (seconds * 1_000)).toBe(0);
      expect(Date.parse(startTime)).toBeGreaterThanOrEqual(Date.parse(dueTime));
      const tracker = await vi.waitFor(async () => {
        const now = await info(taskId);
        expect(now.status).toBe('done');
        return now;
      }, within);
      expect(tracker).toMatchObject({
        type: 'job',
        maxAttempts: 5,
        data: { name: 'tick', schedule: expect.stringContaining(`/tick/every-${seconds}`), dueTime, result: { n: 7 } },
      });
      expect(Date.parse(tracker.createTime)).toBeGreaterThanOrEqual(Date.parse(dueTime));
    }
    expect(new Set(runs.map(({ dueTime }) => dueTime)).size).toBe(3);
  });

  test('by the duplicate rule of the definition: a duplicate run is ignored', async () => {
    const first = await tasks.alone.delay(undefined);
    const schedule = tasks.alone.schedule();
    await schedule.put('1d', undefined);
    const { taskId } = await schedule.run();
    await vi.waitFor(async () => {
      expect(await info(taskId)).toMatchObject({ status: 'ignored', data: { duplicateOf: first.id } });
    }, within);
    await first.cancel();
  });
});

describe('a run that is due while an earlier one has not ended', () => {
  /** Requests three runs of a schedule with this policy while none of them can end. */
  async function threeRuns(overlap: Overlap) {
    gates.length = 0;
    const schedule = tasks.gated.schedule(overlap);
    await schedule.put('1d', undefined, { overlap });
    const outcomes = [];
    for (let count = 0; count < 3; count++) outcomes.push(await schedule.run());
    return { schedule, outcomes: outcomes.map(({ outcome }) => outcome), ids: outcomes.map(({ taskId }) => taskId) };
  }

  const begun = (count: number) => vi.waitFor(() => expect(gates).toHaveLength(count), within);
  const endsAs = (taskId: string | null, status: string) =>
    vi.waitFor(async () => expect(await info(taskId)).toMatchObject({ status }), within);

  test('is skipped with skip', async () => {
    const { schedule, outcomes, ids } = await threeRuns('skip');
    expect(outcomes).toEqual(['started', 'skipped', 'skipped']);
    await begun(1);
    expect(await schedule.info()).toMatchObject({ running: [ids[0]], counts: { started: 1, skipped: 2 } });
    gates[0]?.open();
    await endsAs(ids[0] ?? null, 'done');
    await vi.waitFor(async () => expect(await schedule.info()).toMatchObject({ running: [] }), within);
    expect(await schedule.run()).toMatchObject({ outcome: 'started' });
    await begun(2);
    gates[1]?.open();
  });

  test('is kept with buffer_one, but only one', async () => {
    const { schedule, outcomes } = await threeRuns('buffer_one');
    expect(outcomes).toEqual(['started', 'held', 'skipped']);
    expect(gates).toHaveLength(1);
    gates[0]?.open();
    await begun(2);
    gates[1]?.open();
    await vi.waitFor(async () => expect(await schedule.info()).toMatchObject({ running: [] }), within);
    expect(await schedule.info()).toMatchObject({ counts: { started: 2, skipped: 1 } });
  });

  test('is kept with buffer_all, one after the other', async () => {
    const { schedule, outcomes } = await threeRuns('buffer_all');
    expect(outcomes).toEqual(['started', 'held', 'held']);
    for (const count of [1, 2, 3]) {
      await begun(count);
      gates[count - 1]?.open();
    }
    await vi.waitFor(async () => expect(await schedule.info()).toMatchObject({ counts: { started: 3 } }), within);
  });

  test('runs in parallel with allow_all', async () => {
    const { outcomes, ids } = await threeRuns('allow_all');
    expect(outcomes).toEqual(['started', 'started', 'started']);
    await begun(3);
    expect(gates.map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const { open } of gates) open();
  });

  test.each([
    ['cancel_other', /^canceled/],
    ['terminate_other', /^terminated/],
  ] as const)('replaces it with %s', async (overlap, detail) => {
    const { ids } = await threeRuns(overlap);
    const last = await vi.waitFor(() => {
      const gate = gates.findLast(({ id }) => !ids.slice(0, 1).includes(id));
      expect(gate).toBeDefined();
      return gate;
    }, within);
    await endsAs(ids[0] ?? null, 'canceled');
    expect((await info(ids[0] ?? null)).detail).toMatch(detail);
    for (const { open } of gates) open();
    await vi.waitFor(async () => expect((await info(last?.id ?? null)).status).toMatch(/done|canceled/), within);
  });
});
