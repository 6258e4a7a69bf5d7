import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import { startEmbeddingServer } from '../test/support/embedding-server.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { givenObjects, textOf } from './objects.ts';
import { type BenchProcesses, startProcesses } from './processes.ts';

const DIMENSIONS = 8;
const POLL_MS = 20;
const COMMANDS = { api: ['api'], 'worker 1': ['worker'], 'worker 2': ['worker'] };
/** The activities that call the model. */
const LOADING = ['copySlice', 'writeChunk'];

const METRICS = [
  { name: 'load', unit: 's', better: 'lower' },
  { name: 'goes on after', unit: 's', better: 'lower' },
  { name: 'sent again', unit: 'texts', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

export const kill: Benchmark = {
  about: 'a load of which one of two workers is killed at its half, against one without',
  options: {
    objects: { type: 'string', default: '20000' },
    delay: { type: 'string', default: '500' },
    batch: { type: 'string', default: '64' },
    load: { type: 'string', default: 'reindex' },
  },
  async run({ runs, options, say }) {
    const load = loadOf(String(options.load));
    const database = await openBenchDatabase({ connections: 100, say });
    const model = createCountingModel(Number(options.delay));
    const url = await model.url();
    const place = { load, objects: Number(options.objects), databaseUrl: database.url, model, say };
    const modelOf = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: url } as const;
    const modelConfig = { ...modelOf, batchSize: Number(options.batch) };
    let temporal = {};
    const contender = (name: string, kills: boolean): Contender<Name> => ({
      name,
      async run() {
        const system = await startProcesses(COMMANDS, database.url, {}, say);
        temporal = await temporalVersion(system.temporalAddress);
        try {
          return await runLoad(system, { ...place, modelConfig, kills });
        } finally {
          await system.stop();
        }
      },
    });
    try {
      await givenObjects(database.db, 'source', place.objects, DIMENSIONS);
      const plan = {
        title: `${load} of ${options.objects} objects, calls of ${options.batch} texts that take ${options.delay} ms`,
        metrics: METRICS,
        candidate: contender('one of two workers killed', true),
        baseline: contender('undisturbed', false),
      };
      return {
        comparisons: [await compare(plan, { runs, say, warmUp: false })],
        versions: { ...(await postgresVersions(database.url)), ...temporal },
      };
    } finally {
      await model.close();
      await database.close();
    }
  },
};

type Load = 'reindex' | 'upsert';

function loadOf(load: string): Load {
  if (load !== 'reindex' && load !== 'upsert') throw new Error('--load is reindex or upsert');
  return load;
}

interface Place {
  load: Load;
  objects: number;
  model: CountingModel;
  modelConfig: NonNullable<Parameters<ReembedClient['tasks']['reindex']>[0]['destModel']>;
  kills: boolean;
  say: (line: string) => void;
}

async function runLoad(system: BenchProcesses<string>, place: Place): Promise<Record<Name, number>> {
  const { model, objects, kills, say } = place;
  const reembed = createClient({ baseUrl: system.url });
  model.reset();
  const startMs = performance.now();
  const id = await begin(reembed, place);
  if (kills) {
    while (model.distinct() < objects / 2) await sleep(POLL_MS);
    const pid = await busiestWorker(system);
    model.noteKill();
    process.kill(pid, 'SIGKILL');
    say(`killed the worker ${pid} after ${model.distinct()} texts`);
  }
  const { status, detail } = await reembed.tasks.wait(id);
  if (status !== 'done') throw new Error(`the load is ${status}: ${detail}`);
  const seconds = (performance.now() - startMs) / 1_000;
  return {
    load: seconds,
    'goes on after': model.againAfterMs() / 1_000,
    'sent again': model.sent() - model.distinct(),
  };
}

async function begin(reembed: ReembedClient, { load, objects, modelConfig }: Place): Promise<string> {
  const name = `dest-${randomUUID().slice(0, 8)}`;
  if (load === 'reindex') {
    const vectorIndex = { kind: 'none' } as const;
    const request = { source: 'source', dest: name, destModel: modelConfig, destVectorIndex: vectorIndex };
    return (await reembed.tasks.reindex(request)).id;
  }
  await reembed.indexes.create(name, { model: modelConfig, vectorIndex: { kind: 'none' } });
  const items = Array.from({ length: objects }, (_, at) => ({ id: `object-${at}`, payload: textOf(`object-${at}`) }));
  return (await reembed.tasks.upsert({ index: name, items })).id;
}

/** Returns the process of the worker with the most activities that call the model. */
async function busiestWorker({ temporalAddress }: BenchProcesses<string>): Promise<number> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const client = new Client({ connection });
    for (;;) {
      const counts = new Map<number, number>();
      for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
        const { raw } = await client.workflow.getHandle(workflowId).describe();
        for (const { activityType, lastWorkerIdentity } of raw.pendingActivities ?? []) {
          const pid = Number.parseInt(lastWorkerIdentity ?? '', 10);
          if (LOADING.includes(activityType?.name ?? '') && pid > 0) counts.set(pid, (counts.get(pid) ?? 0) + 1);
        }
      }
      const [busiest] = [...counts].sort(([, left], [, right]) => right - left);
      if (busiest) return busiest[0];
      await sleep(POLL_MS);
    }
  } finally {
    await connection.close();
  }
}

type CountingModel = ReturnType<typeof createCountingModel>;

/** A model that counts the texts that it is sent, and notes when one comes again. */
function createCountingModel(delayMs: number) {
  const seen = new Set<string>();
  let [sent, killedMs, againMs] = [0, 0, 0];
  const server = startEmbeddingServer({
    dimensions: DIMENSIONS,
    delayMs,
    record: false,
    behave({ texts }) {
      sent += texts.length;
      if (killedMs > 0 && againMs === 0 && texts.some((text) => seen.has(text))) againMs = performance.now();
      for (const text of texts) seen.add(text);
      return undefined;
    },
  });
  return {
    url: async () => (await server).url,
    sent: () => sent,
    distinct: () => seen.size,
    /** Time from the kill until a text that was sent before came again; 0 if none did. */
    againAfterMs: () => (againMs === 0 ? 0 : againMs - killedMs),
    noteKill() {
      killedMs = performance.now();
    },
    reset() {
      seen.clear();
      [sent, killedMs, againMs] = [0, 0, 0];
    },
    close: async () => (await server).close(),
  };
}
