import { randomUUID } from 'node:crypto';
import { indexConfigSchema } from '../src/contract/indexes.ts';
import type { IndexRow } from '../src/store/schema.ts';
import { startTask, waitForTask } from '../src/temporal/index.ts';
import { type BenchDatabase, openBenchDatabase, openEmbeddedBenchDatabase } from './database.ts';
import { type BenchContext, type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startModelServer } from './model-server.ts';
import { givenObjects } from './objects.ts';
import { RAW_BATCH, type RawCopy, rawCopy } from './raw-copy.ts';
import { reindexTimes } from './reindex-times.ts';
import { type BenchSystem, startBenchSystem } from './system.ts';

const DIMENSIONS = 384;
/** Speeds up the HNSW build, which is not measured and should not take most of the time. */
const BUILD_QUICKLY = { REEMBED_INDEX_MEMORY_MB: '1000' };
const METRICS = [
  { name: 'objects', unit: '1/s', better: 'higher' },
  // Includes the lock, the check of the model, and all other steps before the copy.
  { name: 'fromStart', unit: '1/s', better: 'higher' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

export const reindex: Benchmark = {
  about: 'copy and reconcile of a reindex, without the HNSW build, against one process that reads, embeds and writes',
  options: { objects: { type: 'string', default: '20000' }, delay: { type: 'string', default: '0' } },
  run: async (context) => measure(await openBenchDatabase({ connections: 32, say: context.say }), context),
};

export const embedded: Benchmark = {
  about: 'the same on the embedded database',
  options: { objects: { type: 'string', default: '5000' }, delay: { type: 'string', default: '0' } },
  run: async (context) => measure(await openEmbeddedBenchDatabase(context.say), context),
};

async function measure(database: BenchDatabase, { runs, options, say }: BenchContext) {
  const { db, url, close } = database;
  const objects = Number(options.objects);
  const delayMs = Number(options.delay);
  const model = await startModelServer(DIMENSIONS, delayMs);
  const system = await startBenchSystem(database, say, BUILD_QUICKLY);
  try {
    const source = await givenObjects(db, 'source', objects);
    const plan = {
      title: `${objects} objects, model that answers ${delayMs === 0 ? 'at once' : `in ${delayMs} ms`}`,
      metrics: METRICS,
      candidate: ours(system, source, model.url, objects),
      // On background connections, so that this does not count as live work that the next reindex yields to.
      baseline: raw({ db: database.background, source, modelUrl: model.url, objects, dimensions: DIMENSIONS }, say),
    };
    const comparisons = [await compare(plan, { runs, say })];
    return {
      comparisons,
      versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.address)) },
    };
  } finally {
    await system.stop();
    model.stop();
    await close();
  }
}

function ours(system: BenchSystem, source: IndexRow, modelUrl: string, objects: number): Contender<Name> {
  return {
    name: 'reembed',
    async run() {
      const taskId = `bench-${randomUUID()}`;
      const dest = `dest-${randomUUID().slice(0, 8)}`;
      const model = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: modelUrl } as const;
      const input = {
        source: source.name,
        dest,
        destModel: indexConfigSchema.parse({ model: { ...model, batchSize: RAW_BATCH } }).model,
      };
      const { client, taskQueue } = system;
      await startTask(client, { type: 'reindex', taskId, input, taskQueue, inputHash: taskId });
      const tracker = await waitForTask(client, taskId, 3_600_000);
      if (tracker.status !== 'done') throw new Error(`the reindex is ${tracker.status}: ${tracker.detail}`);
      const { copySeconds, preparationSeconds } = await reindexTimes(client, taskId);
      await startTask(client, {
        type: 'delete-index',
        taskId: `${taskId}-delete`,
        input: { index: dest },
        taskQueue,
        inputHash: taskId,
      });
      await waitForTask(client, `${taskId}-delete`, 60_000);
      return { objects: objects / copySeconds, fromStart: objects / (copySeconds + preparationSeconds) };
    },
  };
}

/** Runs the raw copy with the best number of batches in flight, which its warm-up finds. */
function raw(copy: RawCopy, say: (line: string) => void): Contender<Name> {
  let best: number | undefined;
  const rate = async (inFlight: number) => copy.objects / (await rawCopy(copy, inFlight));
  const both = (objects: number) => ({ objects, fromStart: objects });
  return {
    name: 'raw',
    async run() {
      if (best !== undefined) return both(await rate(best));
      const rates: number[] = [];
      for (const inFlight of [1, 2, 3, 4]) rates.push(await rate(inFlight));
      const most = Math.max(...rates);
      best = rates.indexOf(most) + 1;
      say(`raw: ${rates.map(Math.round).join(', ')} objects/s with 1 to 4 batches in flight`);
      return both(most);
    },
  };
}
