import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SIGNAL } from '../../../src/contract/names.ts';
import { TASK_STATUSES } from '../../../src/contract/status.ts';
import type { TaskInputs } from '../../../src/contract/workflow-inputs.ts';
import {
  countTasks,
  eachTask,
  listTasks,
  restartTask,
  type StartableType,
  startTask,
  type TaskRow,
} from '../../../src/temporal/index.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../support.ts';

/** Number of tasks in each state. */
const STATES = { done: 168, failed: 60, canceled: 32, waiting: 80, paused: 20, pending: 40 } as const;
const ALL = Object.values(STATES).reduce<number>((sum, count) => sum + count, 0);
type State = keyof typeof STATES;

let world: World;
let tasks: { id: string; state: State }[];

beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  const index = (await makeIndex(world.db)).name;
  const items = [{ id: 'a', payload: 'one lion' }];
  const later = { type: 'delete-index', input: { index, after: '1h' } } as const;
  const starts: Record<State, { type: StartableType; input: TaskInputs[StartableType]; queue?: string }> = {
    done: { type: 'upsert', input: { index, items } },
    failed: { type: 'upsert', input: { index: 'nowhere', items } },
    canceled: later,
    waiting: later,
    paused: later,
    pending: { type: 'upsert', input: { index, items }, queue: 'nobody' },
  };
  const states = Object.entries(STATES) as [State, number][];
  // In turns, so that every part of the list has some of each.
  const turns = states.flatMap(([state, count]) =>
    Array.from({ length: count }, (_, at) => ({ state, place: at / count })),
  );
  tasks = turns.sort((left, right) => left.place - right.place).map(({ state }) => ({ id: uniqueName(state), state }));
  await inGroups(tasks, async ({ id, state }) => {
    const { queue = world.taskQueue, ...start } = starts[state];
    await startTask(world.client, { ...start, taskId: id, taskQueue: queue, inputHash: 'h' });
  });
  const { done, failed, canceled, waiting, paused, pending } = STATES;
  await counted({ done, failed, waiting: canceled + waiting + paused, pending });
  await inGroups(of('canceled'), (id) => signal(id, SIGNAL.cancel));
  await inGroups(of('paused'), (id) => signal(id, SIGNAL.pause));
  await counted(STATES);
}, 900_000);
afterAll(() => world?.close());

const of = (state: State) => tasks.filter((task) => task.state === state).map(({ id }) => id);

const signal = (id: string, name: string) => world.client.workflow.getHandle(id).signal(name);

async function inGroups<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = [...all];
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: 20 }, lane));
}

async function counted(expected: Partial<Record<State, number>>) {
  const fits = ({ byStatus }: Awaited<ReturnType<typeof countTasks>>) =>
    Object.entries(expected).every(([status, count]) => byStatus[status as State] === count);
  expect((await eventually(() => countTasks(world.client), fits, 500_000)).byStatus).toMatchObject(expected);
}

/** Follows the cursors to the end; `between` is called after each page. */
async function walk(limit: number, between: () => Promise<void> = async () => {}): Promise<TaskRow[]> {
  const seen: TaskRow[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await listTasks(world.client, { limit, cursor });
    seen.push(...page.tasks);
    cursor = page.cursor;
    if (cursor === null) return seen;
    expect(page.tasks).toHaveLength(limit);
    await between();
  }
}

function expectNewestFirst(rows: readonly TaskRow[]) {
  const times = rows.map(({ createTime }) => createTime);
  expect(times).toEqual([...times].sort().reverse());
}

describe('four hundred tasks in mixed states', () => {
  test('have counts that match the lists, and each list has its own tasks', async () => {
    const { total, byStatus } = await countTasks(world.client);
    expect(total).toBe(ALL);
    for (const status of TASK_STATUSES) {
      const rows: TaskRow[] = [];
      for await (const row of eachTask(world.client, { statuses: [status], limit: 24 })) rows.push(row);
      expect(rows).toHaveLength(byStatus[status]);
      for (const row of rows) expect(row.status).toBe(status);
      expectNewestFirst(rows);
    }
  });

  test('are each on one page only, newest first, also by offset', async () => {
    const seen = await walk(18);
    expect(seen.map(({ id }) => id).sort()).toEqual(tasks.map(({ id }) => id).sort());
    expectNewestFirst(seen);
    const { tasks: late } = await listTasks(world.client, { offset: ALL - 10, limit: 50 });
    expect(late.map(({ id }) => id)).toEqual(seen.slice(ALL - 10).map(({ id }) => id));
  });

  test('are listed by a period of creation, including its first moment', async () => {
    const seen = await walk(ALL);
    const [from, until] = [seen[280], seen[120]].map((row) => new Date(row?.createTime ?? ''));
    const span = { createdAfter: from as Date, createdBefore: until as Date };
    const inside = seen.filter(
      ({ createTime = '' }) => new Date(createTime) >= span.createdAfter && new Date(createTime) < span.createdBefore,
    );
    const { tasks: found, total } = await listTasks(world.client, { ...span, limit: 1_000 });
    expect(found.map(({ id }) => id)).toEqual(inside.map(({ id }) => id));
    expect(total).toBe(inside.length);
    expect((await countTasks(world.client, span)).total).toBe(inside.length);
  });

  test('are each on one page only while tasks end, are restarted, paused and started', async () => {
    const ending = of('waiting').sort();
    const failed = of('failed').sort();
    const waiting = of('canceled').sort();
    const index = (await makeIndex(world.db)).name;
    let pages = 0;
    const started: string[] = [];
    const seen = await walk(17, async () => {
      pages++;
      await inGroups(ending.splice(0, 4), (id) => signal(id, SIGNAL.cancel));
      await inGroups(failed.splice(0, 3), (id) => restartTask(world.client, id));
      await inGroups(waiting.splice(0, 1), (id) => restartTask(world.client, id));
      const taskId = uniqueName('new');
      started.push(taskId);
      const input = { index, items: [{ id: 'b', payload: 'a lioness' }] };
      await startTask(world.client, { type: 'upsert', taskId, input, taskQueue: world.taskQueue, inputHash: 'h' });
    });
    expect(pages).toBeGreaterThan(20);
    const before = seen.filter(({ id }) => !started.includes(id)).map(({ id }) => id);
    expect(before.length).toBe(ALL);
    expect(new Set(before)).toEqual(new Set(tasks.map(({ id }) => id)));
    expectNewestFirst(seen);

    // After all changes have ended: a restarted task is pending again, fails again, or waits again.
    const ended = { pending: STATES.pending, failed: STATES.failed, done: STATES.done + started.length };
    await counted(ended);
    const { rows, counts } = await eventually(
      async () => ({ rows: await walk(200), counts: await countTasks(world.client) }),
      ({ rows, counts }) => isDeepStrictEqual(statusesOf(rows), counts.byStatus),
    );
    expect(counts.total).toBe(ALL + started.length);
    expect(rows).toHaveLength(ALL + started.length);
    expect(statusesOf(rows)).toEqual(counts.byStatus);
    expect(counts.byStatus).toMatchObject(ended);
  }, 600_000);
});

/** How many rows have each status. */
function statusesOf(rows: readonly TaskRow[]) {
  const count = (wanted: string) => rows.filter(({ status }) => status === wanted).length;
  return Object.fromEntries(TASK_STATUSES.map((status) => [status, count(status)]));
}
