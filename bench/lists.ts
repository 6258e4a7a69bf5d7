import { Client, Connection } from '@temporalio/client';
import { quantile } from 'simple-statistics';
import { openDatabase } from '../src/store/database.ts';
import { listTasks, startTask } from '../src/temporal/index.ts';
import { tasksQuery } from '../src/temporal/lists/query.ts';
import { startBenchApi } from './api.ts';
import { type Benchmark, compare, type Metric } from './harness.ts';
import { temporalVersion } from './machine.ts';
import { startBenchTemporal } from './temporal.ts';

const METRICS = [
  { name: 'p50', unit: 'ms', better: 'lower' },
  { name: 'p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];

const LIMIT = 50;
/** The share of tasks that have not ended, which Temporal lists first. */
const STILL_OPEN = 0.4;
/** Parallel starts. */
const LANES = 20;

export const lists: Benchmark = {
  about: 'a list of 50 tasks through the HTTP API, against one raw call of Temporal with the same query',
  options: { tasks: { type: 'string', default: '1000' }, requests: { type: 'string', default: '60' } },
  async run({ runs, options, say }) {
    const tasks = Number(options.tasks);
    const requests = Number(options.requests);
    const world = await openWorld(say);
    try {
      say(`starting ${tasks} tasks`);
      await fill(world.client, tasks);
      const raw = (nextPageToken?: Uint8Array) =>
        world.client.workflowService.listWorkflowExecutions({
          namespace: 'default',
          query: tasksQuery({}),
          pageSize: LIMIT,
          nextPageToken,
        });
      const first = await listTasks(world.client, { limit: tasks / 2 });
      let rawCursor: Uint8Array | undefined;
      for (let at = 0; at < tasks / 2; at += LIMIT) rawCursor = (await raw(rawCursor)).nextPageToken;
      const places = [
        { title: `the first ${LIMIT} of ${tasks} tasks`, cursor: null, token: undefined },
        { title: `${LIMIT} from the middle of ${tasks} tasks`, cursor: first.cursor, token: rawCursor },
      ];
      const comparisons = [];
      for (const { title, cursor, token } of places) {
        const candidate = async () => {
          const page = await world.api.tasks.page({ limit: LIMIT, cursor });
          if (page.tasks.length !== LIMIT || page.total !== tasks) throw new Error('the list is not as it should be');
        };
        const baseline = async () => {
          const page = await raw(token);
          if (page.executions.length !== LIMIT) throw new Error('the list is not as it should be');
        };
        const contender = (name: string, call: () => Promise<void>) => ({ name, run: () => time(call, requests) });
        const plan = {
          title,
          metrics: METRICS,
          candidate: contender('GET /v1/tasks/list', candidate),
          baseline: contender('ListWorkflowExecutions', baseline),
        };
        comparisons.push(await compare(plan, { runs, say }));
      }
      return { comparisons, versions: await temporalVersion(world.address) };
    } finally {
      await world.close();
    }
  },
};

/** Times sequential calls. */
async function time(call: () => Promise<void>, requests: number) {
  const tookMs: number[] = [];
  for (let at = 0; at < requests; at++) {
    const startMs = performance.now();
    await call();
    tookMs.push(performance.now() - startMs);
  }
  return { p50: quantile(tookMs, 0.5), p95: quantile(tookMs, 0.95) };
}

/** Creates tasks without a worker and ends most of them, in an order that differs from that of their starts. */
async function fill(client: Client, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, at) => `task-${at}`);
  await inLanes(ids, async (taskId) => {
    const input = { index: 'docs', items: [{ id: taskId, payload: `text of ${taskId}` }] };
    await startTask(client, { type: 'upsert', taskId, input, taskQueue: 'nobody', inputHash: taskId });
  });
  const ended = ids.filter((_id, at) => ((at * 7919) % count) / count >= STILL_OPEN);
  await inLanes(ended.reverse(), (id) => client.workflow.getHandle(id).terminate());
  while ((await listTasks(client, { statuses: ['canceled'], limit: 1 })).total < ended.length) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function inLanes<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = all.values();
  const lane = async () => {
    for (const one of left) await work(one);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Starts Temporal's dev server on a file, and an API that uses it. */
async function openWorld(say: (line: string) => void) {
  const temporal = await startBenchTemporal(say);
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection });
  // Lists do not use the database.
  const db = openDatabase({ url: 'postgres://127.0.0.1:1/none' });
  const { reembed, stop } = await startBenchApi({ client, taskQueue: 'nobody' }, db);
  return {
    client,
    address: temporal.address,
    api: reembed,
    async close() {
      await stop();
      await db.destroy();
      await connection.close();
      await temporal.stop();
    },
  };
}
