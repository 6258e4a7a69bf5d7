import { randomUUID } from 'node:crypto';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import type { Db } from '../src/store/database.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { type ModelServer, startModelServer } from './model-server.ts';
import { textOf } from './objects.ts';
import { startProcesses } from './processes.ts';
import { createRawTable, embedAndWrite, RAW_BATCH, type RawRow, requireRawRows } from './raw-copy.ts';

export const DIMENSIONS = 384;
const METRICS = [{ name: 'items', unit: '1/s', better: 'higher' }] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

export const bulk: Benchmark = {
  about: 'an NDJSON upsert, and the bulk helper of the client, against one process that embeds and writes',
  options: { items: { type: 'string', default: '20000' }, delay: { type: 'string', default: '0' } },
  async run({ runs, options, say }) {
    const items = Number(options.items);
    const delayMs = Number(options.delay);
    const { db, url, close } = await openBenchDatabase({ connections: 50, say });
    const model = await startModelServer(DIMENSIONS, delayMs);
    const system = await startProcesses({ api: ['api'], worker: ['worker'] }, url, NO_HNSW, say);
    const world = { reembed: createClient({ baseUrl: system.url }), db, model, items };
    try {
      const answers = `model that answers ${delayMs === 0 ? 'at once' : `in ${delayMs} ms`}`;
      const baseline = rawLoop(world, say);
      const plans = [
        { title: `${items} lines of NDJSON, ${answers}`, candidate: ndjson(world) },
        { title: `${items} items through the bulk helper, ${answers}`, candidate: helper(world) },
      ];
      const comparisons = [];
      for (const plan of plans) comparisons.push(await compare({ ...plan, metrics: METRICS, baseline }, { runs, say }));
      return {
        comparisons,
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.temporalAddress)) },
      };
    } finally {
      await system.stop();
      model.stop();
      await close();
    }
  },
};

/** Prevents an HNSW build in both ways. */
export const NO_HNSW = { REEMBED_VECTOR_INDEX_AFTER_PARTS: '100000000' };

interface World {
  reembed: ReembedClient;
  db: Db;
  model: ModelServer;
  items: number;
}

export function* objects(count: number): Generator<{ id: string; payload: string }> {
  for (let at = 0; at < count; at++) {
    const id = `object-${String(at).padStart(9, '0')}`;
    yield { id, payload: textOf(id) };
  }
}

/** Sends one task, whose items are streamed as they are generated. */
function ndjson({ reembed, model, items }: World): Contender<Name> {
  return {
    name: 'NDJSON',
    run: () =>
      measure(reembed, model, items, async (index) => {
        const { status, progress } = await reembed.tasks.upsertStream(index, objects(items), { wait: true });
        if (status !== 'done' || progress.done !== items) throw new Error(`${progress.done} items are ${status}`);
      }),
  };
}

/** Uses the bulk helper with its defaults: tasks of 5,000 items, four in parallel. */
function helper({ reembed, model, items }: World): Contender<Name> {
  return {
    name: 'bulk helper',
    run: () =>
      measure(reembed, model, items, async (index) => {
        const helping = reembed.bulk({ index });
        for (const item of objects(items)) await helping.upsert(item);
        const { done } = await helping.close();
        if (done !== items) throw new Error(`${done} items are done`);
      }),
  };
}

/** Writes to a separate index, and measures from the first item until the last one is searchable. */
async function measure(
  reembed: ReembedClient,
  { url }: ModelServer,
  items: number,
  write: (index: string) => Promise<void>,
): Promise<Record<Name, number>> {
  const index = `bench-${randomUUID()}`;
  await reembed.indexes.create(index, {
    model: { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: url },
  });
  const startMs = performance.now();
  await write(index);
  const seconds = (performance.now() - startMs) / 1_000;
  await reembed.tasks.deleteIndex({ index }, { wait: true });
  return { items: items / seconds };
}

/** Runs the raw loop with the best number of batches in flight, which its warm-up finds. */
function rawLoop(world: World, say: (line: string) => void): Contender<Name> {
  let best: number | undefined;
  return {
    name: 'raw loop',
    async run() {
      if (best !== undefined) return { items: await rawRate(world, best) };
      const rates: number[] = [];
      for (const inFlight of [1, 2, 3, 4]) rates.push(await rawRate(world, inFlight));
      const most = Math.max(...rates);
      best = rates.indexOf(most) + 1;
      say(`raw loop: ${rates.map(Math.round).join(', ')} items/s with 1 to 4 batches in flight`);
      return { items: most };
    },
  };
}

/** The minimum work of a write: nothing survives a crash, and versions are ordered only by batch. */
async function rawRate({ db, model, items }: World, inFlight: number): Promise<number> {
  await createRawTable(db, DIMENSIONS);
  const startMs = performance.now();
  const running = new Set<Promise<void>>();
  const send = async (rows: RawRow[]) => {
    const batch: Promise<void> = embedAndWrite({ db, modelUrl: model.url }, rows).finally(() => running.delete(batch));
    running.add(batch);
    if (running.size >= inFlight) await Promise.race(running);
  };
  let rows: RawRow[] = [];
  for (const object of objects(items)) {
    rows.push({ ...object, version: 1 });
    if (rows.length < RAW_BATCH) continue;
    await send(rows);
    rows = [];
  }
  if (rows.length > 0) await send(rows);
  await Promise.all(running);
  const seconds = (performance.now() - startMs) / 1_000;
  await requireRawRows(db, items);
  return items / seconds;
}
