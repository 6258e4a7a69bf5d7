import { randomUUID } from 'node:crypto';
import { quantile } from 'simple-statistics';
import { createTemporalClient } from '../src/temporal/connect.ts';
import { startBenchApi } from './api.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startMinimal } from './minimal/worker.ts';
import { startModelServer } from './model-server.ts';
import { startBenchSystem } from './system.ts';

const DIMENSIONS = 384;
const INDEX = 'docs';
const TEXT = 'some words about nothing in particular, '.repeat(5);

const METRICS = [
  { name: 'tasks', unit: '1/s', better: 'higher' },
  { name: 'p50', unit: 'ms', better: 'lower' },
  { name: 'p95', unit: 'ms', better: 'lower' },
  { name: 'alone, p50', unit: 'ms', better: 'lower' },
  { name: 'alone, p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

interface Load {
  tasks: number;
  writers: number;
  alone: number;
}

export const upsert: Benchmark = {
  about: 'upserts of one object through the HTTP API, against a minimal workflow with one activity',
  options: {
    tasks: { type: 'string', default: '600' },
    writers: { type: 'string', default: '16' },
    alone: { type: 'string', default: '100' },
    delay: { type: 'string', default: '0' },
  },
  async run({ runs, options, say }) {
    const load = { tasks: Number(options.tasks), writers: Number(options.writers), alone: Number(options.alone) };
    const database = await openBenchDatabase({ connections: 32, say });
    const { db, url, close } = database;
    const model = await startModelServer(DIMENSIONS, Number(options.delay));
    const system = await startBenchSystem(database, say);
    // On the workers' connection, like `reembed dev`.
    const client = createTemporalClient(system.connection, { namespace: 'default', encryptionKeys: [] });
    const api = await startBenchApi({ client, taskQueue: system.taskQueue }, db);
    const minimal = await startMinimal(system, db, { modelUrl: model.url, dimensions: DIMENSIONS });
    try {
      await api.reembed.indexes.create(INDEX, {
        model: { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: model.url },
      });
      const plan = {
        title: `${load.tasks} upserts from ${load.writers} writers, then ${load.alone} one after the other`,
        metrics: METRICS,
        candidate: contender('reembed', load, async (id, text) => {
          const items = [{ id, payload: text }];
          const { status } = await api.reembed.tasks.upsert({ index: INDEX, items }, { wait: true });
          if (status !== 'done') throw new Error(`the upsert is ${status}`);
        }),
        baseline: contender('minimal workflow', load, minimal.write),
      };
      return {
        comparisons: [await compare(plan, { runs, say })],
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.address)) },
      };
    } finally {
      await minimal.stop();
      await api.stop();
      await system.stop();
      model.stop();
      await close();
    }
  },
};

function contender(
  name: string,
  { tasks, writers, alone }: Load,
  write: (id: string, text: string) => Promise<void>,
): Contender<Name> {
  const writeMany = async (count: number, lanes: number) => {
    const tookMs: number[] = [];
    let left = count;
    const lane = async () => {
      while (left-- > 0) {
        const id = randomUUID();
        const startMs = performance.now();
        await write(id, `${id}: ${TEXT}`);
        tookMs.push(performance.now() - startMs);
      }
    };
    const startMs = performance.now();
    await Promise.all(Array.from({ length: lanes }, lane));
    return { tookMs, seconds: (performance.now() - startMs) / 1_000 };
  };
  return {
    name,
    async run() {
      const many = await writeMany(tasks, writers);
      const single = await writeMany(alone, 1);
      return {
        tasks: tasks / many.seconds,
        p50: quantile(many.tookMs, 0.5),
        p95: quantile(many.tookMs, 0.95),
        'alone, p50': quantile(single.tookMs, 0.5),
        'alone, p95': quantile(single.tookMs, 0.95),
      };
    },
  };
}
