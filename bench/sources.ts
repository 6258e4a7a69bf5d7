import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { quantile } from 'simple-statistics';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import type { Db } from '../src/store/database.ts';
import { DIMENSIONS, NO_HNSW, objects } from './bulk.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { type ModelServer, startModelServer } from './model-server.ts';
import { type BenchProcesses, startProcesses } from './processes.ts';

const LATENCY = [
  { name: 'p50', unit: 'ms', better: 'lower' },
  { name: 'p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
const PACE = [
  { name: 'rows', unit: '1/s', better: 'higher' },
  { name: 'peak memory of the worker', unit: 'MiB', better: 'lower' },
] as const satisfies Metric[];
type Latency = Record<(typeof LATENCY)[number]['name'], number>;
type Pace = Record<(typeof PACE)[number]['name'], number>;

/** Rows of a transaction that fills a table. */
const CHUNK = 1_000;
const SEARCHABLE_MS = 120_000;

export const sources: Benchmark = {
  about: 'a followed table: from commit to searchable, and its pace and memory against an NDJSON upsert',
  options: { rows: { type: 'string', default: '20000' }, changes: { type: 'string', default: '300' } },
  async run({ runs, options, say }) {
    const [rows, changes] = [Number(options.rows), Number(options.changes)];
    const { db, url, close } = await openBenchDatabase({ connections: 10, say });
    const model = await startModelServer(DIMENSIONS, 0);
    const system = await startProcesses({ api: ['api'], worker: ['worker'] }, url, NO_HNSW, say);
    const world: World = { reembed: createClient({ baseUrl: system.url }), db, system, model };
    const latency = {
      title: `${changes} rows, one after the other, with the model hash`,
      metrics: LATENCY,
      candidate: { name: 'committed in a followed table', run: () => latencyOfTable(world, changes) },
      baseline: { name: 'sent to the API', run: () => latencyOfApi(world, changes) },
    };
    const pace = {
      title: `${rows} rows, model that answers at once`,
      metrics: PACE,
      candidate: { name: 'followed table', run: () => paceOfTable(world, rows) },
      baseline: { name: 'NDJSON', run: () => paceOfLines(world, rows) },
    };
    try {
      const comparisons = [await compare(latency, { runs, say }), await compare(pace, { runs, say })];
      const versions = { ...(await postgresVersions(url)), ...(await temporalVersion(system.temporalAddress)) };
      return { comparisons, versions };
    } finally {
      await system.stop();
      model.stop();
      await close();
    }
  },
};

interface World {
  reembed: ReembedClient;
  db: Db;
  system: BenchProcesses<'api' | 'worker'>;
  model: ModelServer;
}

const HASH = { provider: 'hash', dimensions: 64 } as const;
const served = ({ model }: World) => ({
  ...{ provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: model.url },
});

/** Measures with an index of its own, which is deleted afterwards. */
async function withIndex<T>(world: World, model: object, work: (index: string) => Promise<T>): Promise<T> {
  const index = `bench-${randomUUID()}`;
  await world.reembed.indexes.create(index, { model: model as never });
  const result = await work(index);
  await world.reembed.tasks.deleteIndex({ index }, { wait: true });
  return result;
}

/** Measures with a table of its own that the index follows. */
async function withTable<T>(world: World, index: string, work: (table: string) => Promise<T>): Promise<T> {
  const { reembed, db } = world;
  const table = `t_${randomUUID().replaceAll('-', '')}`;
  await sql`create table ${sql.id(table)} (id text primary key, body text not null)`.execute(db);
  await reembed.sources.save(table, { index, table, text: ['body'] });
  await until(async () => (await reembed.sources.get(table)).state === 'following');
  try {
    return await work(table);
  } finally {
    await reembed.sources.delete(table);
    await sql`drop table ${sql.id(table)}`.execute(db);
  }
}

function latencyOfTable(world: World, changes: number): Promise<Latency> {
  return withIndex(world, HASH, (index) =>
    withTable(world, index, (table) =>
      timeEach(changes, async ({ id, payload }) => {
        await insert(world.db, table, [{ id, payload }]);
        const committedMs = performance.now();
        await until(() => isThere(world.reembed, index, id), 1);
        return performance.now() - committedMs;
      }),
    ),
  );
}

function latencyOfApi({ reembed, ...world }: World, changes: number): Promise<Latency> {
  return withIndex({ reembed, ...world }, HASH, (index) =>
    timeEach(changes, async (item) => {
      const sentMs = performance.now();
      await reembed.tasks.upsert({ index, items: [item] }, { wait: true });
      return performance.now() - sentMs;
    }),
  );
}

type Item = ReturnType<typeof objects> extends Generator<infer T> ? T : never;

async function timeEach(count: number, time: (item: Item) => Promise<number>): Promise<Latency> {
  const times: number[] = [];
  for (const item of objects(count)) times.push(await time(item));
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
}

function paceOfTable(world: World, rows: number): Promise<Pace> {
  return withIndex(world, served(world), (index) =>
    withTable(world, index, (table) =>
      measurePace(world, rows, async () => {
        let chunk: Item[] = [];
        for (const item of objects(rows)) {
          if (chunk.push(item) < CHUNK) continue;
          await insert(world.db, table, chunk);
          chunk = [];
        }
        await insert(world.db, table, chunk);
        await until(async () => (await world.reembed.indexes.get(index)).objects === rows, 100);
      }),
    ),
  );
}

function paceOfLines(world: World, rows: number): Promise<Pace> {
  return withIndex(world, served(world), (index) =>
    measurePace(world, rows, async () => {
      await world.reembed.tasks.upsertStream(index, objects(rows), { wait: true });
    }),
  );
}

async function measurePace({ system }: World, rows: number, work: () => Promise<void>): Promise<Pace> {
  system.resetPeaks();
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  return { rows: rows / seconds, 'peak memory of the worker': system.peaks().worker };
}

async function insert(db: Db, table: string, items: readonly Item[]): Promise<void> {
  const [ids, bodies] = [items.map(({ id }) => id), items.map(({ payload }) => payload)];
  await sql`insert into ${sql.id(table)} select * from unnest(${ids}::text[], ${bodies}::text[])`.execute(db);
}

const isThere = (reembed: ReembedClient, index: string, id: string) =>
  reembed.objects.get(index, id).then(
    ({ failed }) => !failed,
    () => false,
  );

async function until(isDone: () => Promise<boolean>, everyMs = 20): Promise<void> {
  for (const endMs = performance.now() + SEARCHABLE_MS; !(await isDone()); await sleep(everyMs)) {
    if (performance.now() > endMs) throw new Error('the source did not get there in time');
  }
}
