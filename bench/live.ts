import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { quantile } from 'simple-statistics';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import type { Tracker } from '../src/contract/tasks.ts';
import type { Db } from '../src/store/database.ts';
import { tablesOf } from '../src/store/partitions.ts';
import type { IndexRow } from '../src/store/schema.ts';
import { buildVectorIndex } from '../src/store/vector-index.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Figures, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startModelServer } from './model-server.ts';
import { givenObjects } from './objects.ts';
import { startProcesses } from './processes.ts';

const DIMENSIONS = 384;
const METRICS = [
  { name: 'write, p50', unit: 'ms', better: 'lower' },
  { name: 'write, p95', unit: 'ms', better: 'lower' },
  { name: 'accepted to searchable, p50', unit: 'ms', better: 'lower' },
  { name: 'accepted to searchable, p95', unit: 'ms', better: 'lower' },
  { name: 'search, p50', unit: 'ms', better: 'lower' },
  { name: 'search, p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const COMMANDS = { api: ['api'], control: ['worker', '--role', 'control'], embed: ['worker', '--role', 'embed'] };

/** Pause between writes and between searches, so that their number does not depend on how fast they are answered. */
const PAUSE_MS = 50;
const POLL_MS = 5;
const SEARCH = { text: 'some words about nothing', limit: 10 } as const;

export const live: Benchmark = {
  about: 'writes and searches during a reindex, against the same without one',
  options: {
    objects: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '10' },
    delay: { type: 'string', default: '20' },
    rate: { type: 'string', default: '0' },
    during: { type: 'string', default: 'copy' },
  },
  async run({ runs, options, say }) {
    const forMs = Number(options.seconds) * 1_000;
    const delayMs = Number(options.delay);
    const phase = phaseOf(String(options.during));
    const { db, url, close } = await openBenchDatabase({ connections: 100, say });
    const model = await startModelServer(DIMENSIONS, delayMs);
    const system = await startProcesses(COMMANDS, url, {}, say);
    const reembed = createClient({ baseUrl: system.url });
    try {
      const source = await givenObjects(db, 'source', Number(options.objects), DIMENSIONS);
      say('builds the HNSW index of the source');
      await buildVectorIndex(db, source, { memoryMb: 1_000 });
      const place = { reembed, db, source };
      const ratePerSecond = Number(options.rate) || undefined;
      const rate = ratePerSecond === undefined ? 'as fast as it can' : `at ${ratePerSecond}/s`;
      const when = phase === 'index' ? ', while the HNSW index is built' : '';
      const plan = {
        title: `a writer and a searcher, ${options.objects} objects copied ${rate}, model that answers in ${delayMs} ms${when}`,
        metrics: METRICS,
        candidate: duringReindex(place, { ratePerSecond, modelUrl: model.url, phase, forMs, say }),
        baseline: { name: 'without', run: () => measure(place, forMs) },
      };
      return {
        comparisons: [await compare(plan, { runs, say })],
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.temporalAddress)) },
      };
    } finally {
      await system.stop();
      model.stop();
      await close();
    }
  },
};

type Phase = 'copy' | 'index';

interface Place {
  reembed: ReembedClient;
  db: Db;
  /** The serving index. */
  source: IndexRow;
}

function phaseOf(during: string): Phase {
  if (during !== 'copy' && during !== 'index') throw new Error('--during is copy, or index for the build of HNSW');
  return during;
}

function isIn(phase: Phase, { data, children }: Tracker): boolean {
  return data.phase === phase && (phase === 'index' || (children.processing ?? 0) > 0);
}

/** Measures while objects are copied, or while the HNSW index is built; then cancels the reindex. */
function duringReindex(
  place: Place,
  options: {
    ratePerSecond: number | undefined;
    modelUrl: string;
    phase: Phase;
    forMs: number;
    say: (line: string) => void;
  },
): Contender<Name> {
  const { reembed, source } = place;
  const { ratePerSecond, modelUrl, phase, forMs, say } = options;
  return {
    name: 'during a reindex',
    async run() {
      const dest = `dest-${randomUUID()}`;
      const destModel = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: modelUrl } as const;
      const { id } = await reembed.tasks.reindex({ source: source.name, ratePerSecond, dest, destModel });
      const tracker = () => reembed.tasks.info(id);
      while (!isIn(phase, await tracker())) {
        // A build checks for live work when it starts.
        if (phase === 'index') await reembed.search(source.name, SEARCH);
        await sleep(POLL_MS);
      }
      const copied = async () => (await reembed.indexes.get(dest)).objects;
      const before = await copied();
      const figures = await measure(place, forMs);
      if (phase === 'copy') {
        say(`${Math.round(((await copied()) - before) / (forMs / 1_000))} objects/s were copied meanwhile`);
      }
      const last = await tracker();
      if (last.data.phase !== phase || (phase === 'copy' && last.progress.done >= last.progress.total)) {
        throw new Error(`the reindex was over before the measuring: give more --objects`);
      }
      await reembed.tasks.cancel(id);
      await reembed.tasks.deleteIndex({ index: dest }, { wait: true });
      return figures;
    },
  };
}

async function measure({ reembed, db, source }: Place, forMs: number): Promise<Figures<Name>> {
  const index = source.name;
  const endMs = performance.now() + forMs;
  const took = { write: [] as number[], searchable: [] as number[], search: [] as number[] };
  const write = async () => {
    while (performance.now() < endMs) {
      const id = randomUUID();
      const startMs = performance.now();
      await reembed.tasks.upsert({ index, items: [{ id, payload: `${id} some words` }] });
      const acceptedMs = performance.now();
      while (!(await isThere(db, source, id))) await sleep(POLL_MS);
      const thereMs = performance.now();
      took.write.push(thereMs - startMs);
      took.searchable.push(thereMs - acceptedMs);
      await sleep(PAUSE_MS);
    }
  };
  const search = async () => {
    while (performance.now() < endMs) {
      const startMs = performance.now();
      await reembed.search(index, SEARCH);
      took.search.push(performance.now() - startMs);
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all([write(), search()]);
  return {
    'write, p50': quantile(took.write, 0.5),
    'write, p95': quantile(took.write, 0.95),
    'accepted to searchable, p50': quantile(took.searchable, 0.5),
    'accepted to searchable, p95': quantile(took.searchable, 0.95),
    'search, p50': quantile(took.search, 0.5),
    'search, p95': quantile(took.search, 0.95),
  };
}

/**
 * Whether an object is stored; its parts are written at the same time, so a search would find it. Queries Postgres
 * directly, since polling this often over HTTP would be most of the load.
 */
async function isThere(db: Db, index: IndexRow, id: string): Promise<boolean> {
  const { rows } =
    await sql`select from ${tablesOf(index.no).objects} where index_no = ${index.no} and object_id = ${id}`.execute(db);
  return rows.length > 0;
}
