import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { modelSchema } from '../src/contract/models.ts';
import { readSettings } from '../src/settings/settings.ts';
import { setAlias } from '../src/store/aliases.ts';
import type { Db } from '../src/store/database.ts';
import { startTask, waitForTask } from '../src/temporal/index.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Figures, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startModelServer } from './model-server.ts';
import { givenObjects } from './objects.ts';
import { startProcesses } from './processes.ts';
import { reindexTimes } from './reindex-times.ts';

const DIMENSIONS = 384;
const ALIAS = 'live';
const WRITERS = 4;
const DAY_MS = 86_400_000;

const METRICS = [
  { name: 'copy', unit: 's', better: 'lower' },
  { name: 'build', unit: 's', better: 'lower' },
  { name: 'memory', unit: 'MiB', better: 'lower' },
  { name: 'events', unit: 'per 10,000 objects', better: 'lower' },
  { name: 'history', unit: 'kB', better: 'lower' },
  { name: 'drain', unit: 'ms', better: 'lower' },
  { name: 'stall', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const COMMANDS = { api: ['api'], worker: ['worker'] };
/** Memory for Postgres; with less, the HNSW build of the larger sizes would take hours. */
const SETTINGS = { REEMBED_INDEX_MEMORY_MB: '1000' };

interface Place {
  client: Client;
  taskQueue: string;
}

export const scale: Benchmark = {
  about: 'a whole reindex at growing sizes, each against the size before: time, memory of the worker, history, stalls',
  options: { sizes: { type: 'string', default: '20000,100000,400000' } },
  async run({ runs, options, say }) {
    const sizes = String(options.sizes).split(',').map(Number);
    const database = await openBenchDatabase({ connections: 64, say });
    const model = await startModelServer(DIMENSIONS, 0);
    let versions = await postgresVersions(database.url);
    const reindexOf = (size: number): Contender<Name> => ({
      name: String(size),
      async run() {
        // New processes, so that the memory is that of this reindex only.
        const system = await startProcesses(COMMANDS, database.url, SETTINGS, say);
        versions = { ...versions, ...(await temporalVersion(system.temporalAddress)) };
        const connection = await Connection.connect({ address: system.temporalAddress });
        const place = { client: new Client({ connection }), taskQueue: readSettings(process.env).taskQueue };
        try {
          const figures = await measure(place, database.db, size, model.url);
          return { ...figures, memory: system.peaks().worker };
        } finally {
          await connection.close();
          await system.stop();
        }
      },
    });
    try {
      for (const size of sizes) await givenObjects(database.db, sourceOf(size), size);
      const comparisons = [];
      for (const [at, size] of sizes.entries()) {
        const before = sizes[at - 1];
        if (before === undefined) continue;
        const plan = {
          title: `${size} objects against ${before}`,
          metrics: METRICS,
          candidate: reindexOf(size),
          baseline: reindexOf(before),
        };
        // Each run has new processes, so a warm-up is not needed.
        comparisons.push(await compare(plan, { runs, say, warmUp: false }));
      }
      return { comparisons, versions };
    } finally {
      model.stop();
      await database.close();
    }
  },
};

const sourceOf = (size: number) => `source-${size}`;

async function measure(place: Place, db: Db, size: number, modelUrl: string): Promise<Omit<Figures<Name>, 'memory'>> {
  await setAlias(db, ALIAS, sourceOf(size));
  const dest = `dest-${randomUUID().slice(0, 8)}`;
  const model = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: modelUrl };
  const taskId = await start(place, 'reindex', { source: ALIAS, dest, destModel: modelSchema.parse(model) });
  const longestStallMs = await whileWriting(place, taskId);
  const tracker = await finished(place.client, taskId);
  const { copySeconds, buildSeconds, events, bytes } = await reindexTimes(place.client, taskId);
  await cleanUp(place, db, size, dest);
  return {
    copy: copySeconds,
    build: buildSeconds,
    events: events / (size / 10_000),
    history: bytes / 1_024,
    drain: Number(tracker.data.drainMs),
    stall: longestStallMs,
  };
}

async function start(place: Place, type: 'reindex' | 'upsert' | 'delete-index', input: object): Promise<string> {
  const taskId = `bench-${type}-${randomUUID()}`;
  const { client, taskQueue } = place;
  await startTask(client, { type, taskId, input: input as never, taskQueue, inputHash: taskId });
  return taskId;
}

async function finished(client: Client, taskId: string) {
  const tracker = await waitForTask(client, taskId, DAY_MS);
  if (tracker.status !== 'done') throw new Error(`${taskId} is ${tracker.status}: ${tracker.detail}`);
  return tracker;
}

/**
 * Writes single objects from the verification to the end; returns the longest time that the cut-over blocked a write.
 */
async function whileWriting(place: Place, reindexId: string): Promise<number> {
  const { client } = place;
  const phaseOf = async () => {
    const { status, data } = await waitForTask(client, reindexId, 100);
    return status === 'processing' || status === 'pending' ? data.phase : 'over';
  };
  while (!['verify', 'cut-over', 'over'].includes(String(await phaseOf())))
    await new Promise((go) => setTimeout(go, 50));
  let longestMs = 0;
  let over = false;
  const write = async (writer: number) => {
    for (let at = 0; !over; at++) {
      const items = [{ id: `object-${String(writer).padStart(9, '0')}`, payload: `changed ${at}` }];
      const tracker = await finished(client, await start(place, 'upsert', { index: ALIAS, items }));
      longestMs = Math.max(longestMs, Number(tracker.data.heldBackMs ?? 0));
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  while ((await phaseOf()) !== 'over') await new Promise((go) => setTimeout(go, 50));
  over = true;
  await Promise.all(writers);
  return longestMs;
}

async function cleanUp(place: Place, db: Db, size: number, dest: string): Promise<void> {
  await setAlias(db, ALIAS, sourceOf(size));
  await finished(place.client, await start(place, 'delete-index', { index: dest }));
}
