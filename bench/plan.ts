import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type IndexConfig, indexConfigSchema } from '../src/contract/indexes.ts';
import type { ModelInput } from '../src/contract/models.ts';
import { planReindexSchema, type ReindexPlan } from '../src/contract/plan.ts';
import { createModels } from '../src/models/models.ts';
import { partsOf } from '../src/pipeline/parts-of.ts';
import { planReindex } from '../src/plan/plan-reindex.ts';
import { readNounGlosses } from '../src/runtime/tour/corpus.ts';
import { resolveIndex } from '../src/store/indexes.ts';
import { tablesOf } from '../src/store/partitions.ts';
import { readSizes } from '../src/store/plan/sizes.ts';
import { startTask, waitForTask } from '../src/temporal/index.ts';
import { type BenchDatabase, openBenchDatabase } from './database.ts';
import { type BenchContext, type Benchmark, type Comparison, compare, type Figures, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { type ModelServer, startModelServer } from './model-server.ts';
import { givenTexts } from './objects.ts';
import { reindexTimes } from './reindex-times.ts';
import { type BenchSystem, startBenchSystem } from './system.ts';

const DIMENSIONS = 384;
const DELAY_MS = 80;
const INDEX_MEMORY_MB = 256;
/** Glosses of one longer text, and how its parts are cut. */
const JOINED = { min: 10, max: 60 } as const;
const SPLITTER = { chunkSize: 600, chunkOverlap: 60 } as const;

const METRICS = [
  { name: 'tokens', unit: '1', better: 'higher' },
  { name: 'seconds', unit: 's', better: 'lower' },
  { name: 'copySeconds', unit: 's', better: 'lower' },
  { name: 'buildSeconds', unit: 's', better: 'lower' },
  { name: 'megabytes', unit: 'MB', better: 'lower' },
] as const satisfies Metric[];
/** Only a server counts its calls. */
const CALLS = { name: 'calls', unit: '1', better: 'lower' } as const satisfies Metric;
type Name = (typeof METRICS)[number]['name'] | 'calls';

export const plan: Benchmark = {
  about: 'the forecast of a reindex against the reindex that follows, on two corpora and three models',
  options: { every: { type: 'string', default: '4' } },
  async run({ runs, options, say }: BenchContext) {
    const database = await openBenchDatabase({ connections: 32, say });
    const server = await startModelServer(DIMENSIONS, DELAY_MS);
    const system = await startBenchSystem(database, say, { REEMBED_INDEX_MEMORY_MB: String(INDEX_MEMORY_MB) });
    try {
      const world = { database, server, system };
      const comparisons: Comparison[] = [];
      for (const corpus of await corpora(database, Number(options.every))) {
        for (const [name, model] of modelsOf(server)) {
          const title = `${corpus.title}, ${name}`;
          comparisons.push(await compareOne(world, { ...corpus, title, model }, { runs, say }));
        }
      }
      const { url } = database;
      const versions = { ...(await postgresVersions(url)), ...(await temporalVersion(system.address)) };
      return { comparisons, versions };
    } finally {
      await system.stop();
      server.stop();
      await database.close();
    }
  },
};

interface World {
  database: BenchDatabase;
  server: ModelServer;
  system: BenchSystem;
}

interface Corpus {
  title: string;
  source: string;
  splitter: Partial<IndexConfig['splitter']> | undefined;
}

async function corpora({ db }: BenchDatabase, every: number): Promise<Corpus[]> {
  const glosses = readNounGlosses(every).map(({ words, gloss }) => `${words.join(', ')}: ${gloss}`);
  const long: string[] = [];
  for (let at = 0, joined: number = JOINED.min; at < glosses.length; at += joined) {
    joined = JOINED.min + ((long.length * 7) % (JOINED.max - JOINED.min));
    long.push(glosses.slice(at, at + joined).join('\n'));
  }
  await givenTexts(db, 'short', { count: glosses.length, of: (at) => glosses[at] as string });
  await givenTexts(db, 'long', { count: long.length, of: (at) => long[at] as string });
  return [
    { title: `${glosses.length} definitions`, source: 'short', splitter: undefined },
    { title: `${long.length} longer texts, split again`, source: 'long', splitter: SPLITTER },
  ];
}

function modelsOf({ url }: ModelServer): [string, ModelInput][] {
  const openai = { provider: 'openai', name: 'text-embedding-3-small', dimensions: DIMENSIONS, baseUrl: url } as const;
  return [
    ['words', { provider: 'words' }],
    ['hash of 256 dimensions', { provider: 'hash', dimensions: 256 }],
    [`a server that answers in ${DELAY_MS} ms`, openai],
  ];
}

/** The candidate is the forecast, made right before the reindex, which is the baseline. */
async function compareOne(
  world: World,
  given: { title: string; source: string; model: ModelInput; splitter: Corpus['splitter'] },
  { runs, say }: Pick<BenchContext, 'runs' | 'say'>,
): Promise<Comparison> {
  const { title, source, splitter } = given;
  const { model } = indexConfigSchema.parse({ model: given.model });
  const body = { source, destModel: model, destSplitter: splitter && { ...SPLITTER, ...splitter } };
  const forecast = async () => forecastOf(world, { ...body, dest: `dest-${randomUUID().slice(0, 8)}` });
  const truth = async () => truthOf(world, { ...body, dest: `dest-${randomUUID().slice(0, 8)}` });
  const contenders = {
    candidate: { name: 'forecast', run: forecast },
    baseline: { name: 'truth', run: truth },
  };
  return compare<Name>(
    { title, metrics: model.provider === 'openai' ? [...METRICS, CALLS] : METRICS, ...contenders },
    { runs, say },
  );
}

type Body = Pick<ReindexPlan, 'source' | 'dest'> & {
  destModel: IndexConfig['model'];
  destSplitter?: IndexConfig['splitter'] | undefined;
};

async function forecastOf({ database }: World, body: Body): Promise<Figures<Name>> {
  const deps = {
    db: database.background,
    models: createModels({ env: {} }),
    settings: { indexMemoryMb: INDEX_MEMORY_MB },
  };
  const made = await planReindex(deps, planReindexSchema.parse(body), new AbortController().signal);
  if (process.env.REEMBED_BENCH_PLANS) console.error(JSON.stringify(made));
  const { tokens, calls, seconds, disk } = made;
  return {
    tokens: tokens.value ?? 0,
    calls: calls.value ?? 0,
    seconds: seconds.total.value ?? 0,
    copySeconds: seconds.copy.value ?? 0,
    buildSeconds: seconds.build.value ?? 0,
    megabytes: (disk.dest.value ?? 0) / 1e6,
  };
}

async function truthOf(world: World, body: Body): Promise<Figures<Name>> {
  const { system, server, database } = world;
  const { client, taskQueue } = system;
  const before = await server.counts();
  const taskId = `bench-${randomUUID()}`;
  await startTask(client, { type: 'reindex', taskId, input: body, taskQueue, inputHash: taskId });
  const tracker = await waitForTask(client, taskId, 3_600_000);
  if (tracker.status !== 'done') throw new Error(`the reindex is ${tracker.status}: ${tracker.detail}`);
  const after = await server.counts();
  const { startTime, closeTime } = await client.workflow.getHandle(taskId).describe();
  const { copySeconds, buildSeconds } = await reindexTimes(client, taskId);
  const dest = await resolveIndex(database.db, body.dest);
  const sizes = await readSizes(database.db, dest);
  await startTask(client, {
    type: 'delete-index',
    taskId: `${taskId}-delete`,
    input: { index: body.dest },
    taskQueue,
    inputHash: taskId,
  });
  await waitForTask(client, `${taskId}-delete`, 60_000);
  const isServer = body.destModel.provider === 'openai';
  return {
    tokens: isServer ? after.tokens - before.tokens : await tokensIn(world, body),
    calls: after.requests - before.requests,
    seconds: ((closeTime as Date).getTime() - startTime.getTime()) / 1_000,
    ...{ copySeconds, buildSeconds },
    megabytes: (sizes.objects + sizes.parts + sizes.keys + sizes.hnsw) / 1e6,
  };
}

/** Splits the whole corpus, and counts with the tokenizer of the model. */
async function tokensIn({ database }: World, { source, destModel, destSplitter: splitter }: Body): Promise<number> {
  const embedder = createModels({ env: {} }).embedder(destModel);
  const config = indexConfigSchema.parse({ model: destModel, ...(splitter && { splitter }) });
  const { objects } = tablesOf((await resolveIndex(database.db, source)).no);
  const { rows } = await sql<{ payload: string }>`select payload from ${objects}`.execute(database.db);
  let tokens = 0;
  for (const { payload } of rows) {
    const parts = await partsOf(payload, { config, embedder });
    if ('failed' in parts) continue;
    const counted = (await embedder.countTokens?.(parts.map(({ text }) => text))) ?? [];
    tokens += counted.reduce((sum, count) => sum + count, 0);
  }
  return tokens;
}
