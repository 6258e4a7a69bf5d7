import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { ASKED_INDEX_BUILDS, type AskedIndexBuild } from '../src/contract/index-build.ts';
import { indexConfigSchema } from '../src/contract/indexes.ts';
import { type Db, transaction } from '../src/store/database.ts';
import { resolveIndex } from '../src/store/indexes.ts';
import { tablesOf } from '../src/store/partitions.ts';
import type { IndexRow } from '../src/store/schema.ts';
import { startTask, waitForTask } from '../src/temporal/index.ts';
import { clusteredVectors } from './clustered.ts';
import { startClusteredModel } from './clustered-model.ts';
import { openBenchDatabase } from './database.ts';
import { type BenchContext, type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { givenObjects } from './objects.ts';
import { RAW_BATCH, type RawCopy, rawCopy } from './raw-copy.ts';
import { type BenchSystem, startBenchSystem } from './system.ts';

const MEMORY_MB = 1_000;
const RAW_IN_FLIGHT = 4;
const DAY_MS = 86_400_000;
/** Searches whose results are compared with those of a scan of all vectors. */
const QUERIES = 100;
const NEAREST = 10;

const METRICS = [
  { name: 'objects', unit: '1/s', better: 'higher' },
  { name: 'recall', unit: '@10', better: 'higher' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

interface Setup {
  objects: number;
  dimensions: number;
  indexBuild: AskedIndexBuild;
}

export const whole: Benchmark = {
  about: 'a reindex from the request to the switch, index included, against a raw copy followed by create index',
  options: {
    objects: { type: 'string', default: '20000' },
    dimensions: { type: 'string', default: '384' },
    rate: { type: 'string', default: '0' },
    'index-build': { type: 'string', default: 'auto' },
  },
  async run(context) {
    const { options, say } = context;
    const [objects, dimensions, rate] = [options.objects, options.dimensions, options.rate].map(Number) as number[];
    const indexBuild = ASKED_INDEX_BUILDS.find((way) => way === options['index-build']);
    if (!indexBuild) throw new Error(`--index-build is one of ${ASKED_INDEX_BUILDS.join(', ')}`);
    const setup: Setup = { objects: objects as number, dimensions: dimensions as number, indexBuild };
    const database = await openBenchDatabase({ connections: 32, say });
    const model = await startClusteredModel(setup.dimensions, rate as number);
    const system = await startBenchSystem(database, say, { REEMBED_INDEX_MEMORY_MB: String(MEMORY_MB) });
    try {
      const source = await givenObjects(database.db, 'source', setup.objects);
      const copy = { db: database.background, source, modelUrl: model.url, ...setup };
      const comparison = await compareBoth(setup, { system, copy, rate: rate as number, context });
      const versions = { ...(await postgresVersions(database.url)), ...(await temporalVersion(system.address)) };
      return { comparisons: [comparison], versions };
    } finally {
      await system.stop();
      model.stop();
      await database.close();
    }
  },
};

interface Given {
  system: BenchSystem;
  copy: RawCopy;
  rate: number;
  context: BenchContext;
}

function compareBoth(setup: Setup, { system, copy, rate, context: { runs, say } }: Given) {
  const speed = rate === 0 ? 'that answers at once' : `of ${rate} texts/s`;
  const { objects, dimensions, indexBuild } = setup;
  const plan = {
    title: `${objects} × ${dimensions}, model ${speed}, index build: ${indexBuild}`,
    metrics: METRICS,
    candidate: ours(setup, system, copy),
    baseline: raw(setup, copy),
  };
  return compare(plan, { runs, say });
}

function ours({ objects, dimensions, indexBuild }: Setup, system: BenchSystem, { db, source, modelUrl }: RawCopy) {
  const { client, taskQueue } = system;
  const given = { provider: 'openai', name: 'bench', dimensions, baseUrl: modelUrl, batchSize: RAW_BATCH };
  const destModel = indexConfigSchema.parse({ model: given }).model;
  return {
    name: 'reembed',
    async run() {
      const taskId = `bench-${randomUUID()}`;
      const dest = `dest-${randomUUID().slice(0, 8)}`;
      const input = { source: source.name, dest, destModel, indexBuild };
      const startMs = performance.now();
      await startTask(client, { type: 'reindex', taskId, input, taskQueue, inputHash: taskId });
      const tracker = await waitForTask(client, taskId, DAY_MS);
      const seconds = (performance.now() - startMs) / 1_000;
      if (tracker.status !== 'done') throw new Error(`the reindex is ${tracker.status}: ${tracker.detail}`);
      const recall = await recallOf(db, { dimensions, ...placeOf(await resolveIndex(db, dest), dimensions) });
      const deletion = { type: 'delete-index', taskId: `${taskId}-delete`, input: { index: dest } } as const;
      await startTask(client, { ...deletion, taskQueue, inputHash: taskId });
      await waitForTask(client, deletion.taskId, DAY_MS);
      return { objects: objects / seconds, recall };
    },
  } satisfies Contender<Name>;
}

/** The raw copy, then one statement with all processes and enough memory. */
function raw({ objects, dimensions }: Setup, copy: RawCopy) {
  const { db } = copy;
  return {
    name: 'raw',
    async run() {
      const copySeconds = await rawCopy(copy, RAW_IN_FLIGHT);
      const startMs = performance.now();
      await transaction(db, async (trx) => {
        await sql`set local statement_timeout = 0`.execute(trx);
        await sql`set local maintenance_work_mem = ${sql.lit(`${MEMORY_MB}MB`)}`.execute(trx);
        await sql`create index on bench_raw using hnsw (embedding vector_cosine_ops)`.execute(trx);
      });
      const seconds = copySeconds + (performance.now() - startMs) / 1_000;
      const place = { table: sql`bench_raw`, vector: sql`embedding` };
      return { objects: objects / seconds, recall: await recallOf(db, { dimensions, ...place }) };
    },
  } satisfies Contender<Name>;
}

const placeOf = ({ no }: IndexRow, dimensions: number) => ({
  table: tablesOf(no).parts,
  vector: sql`(embedding::vector(${sql.lit(dimensions)}))`,
});

interface Place {
  dimensions: number;
  table: RawBuilder<unknown>;
  vector: RawBuilder<unknown>;
}

/** Share of the nearest vectors that the HNSW index finds with its usual `ef_search`, for vectors like the stored ones. */
async function recallOf(db: Db, { dimensions, table, vector }: Place): Promise<number> {
  const vectorOf = clusteredVectors(dimensions);
  const nearest = (query: string, isExact: boolean) =>
    transaction(db, async (trx) => {
      await sql`set local ${sql.raw(isExact ? 'enable_indexscan' : 'enable_seqscan')} = off`.execute(trx);
      const { rows } = await sql<{ distance: number }>`
        select ${vector} <=> ${query}::vector as distance
        from ${table}
        order by ${vector} <=> ${query}::vector
        limit ${NEAREST}`.execute(trx);
      return rows.map(({ distance }) => distance);
    });
  let found = 0;
  for (let query = 0; query < QUERIES; query++) {
    const text = `[${vectorOf(1_000_000_007 + query).join()}]`;
    const exact = await nearest(text, true);
    const worst = (exact.at(-1) ?? 0) + 1e-6;
    found += (await nearest(text, false)).filter((distance) => distance <= worst).length;
  }
  return found / (QUERIES * NEAREST);
}
