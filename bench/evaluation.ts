import { sql } from 'kysely';
import { createClient } from '../src/client/client.ts';
import type { Db } from '../src/store/database.ts';
import { saveQuerySet } from '../src/store/query-sets.ts';
import { buildVectorIndex } from '../src/store/vector-index.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { LIVE_COMMANDS, LIVE_METRICS, type LivePlace, liveLoad, whileMs } from './live-load.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { givenObjects, textOf } from './objects.ts';
import { type BenchProcesses, processorSeconds, startProcesses } from './processes.ts';

const METRICS = [
  ...LIVE_METRICS,
  { name: 'evaluation', unit: 's', better: 'lower' },
  // Of Postgres and the worker: hardly depends on what else the machine does.
  { name: 'processor', unit: 's', better: 'lower' },
  // Above what the worker uses before.
  { name: 'memory', unit: 'MiB', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const QUERY_SET = 'queries';

export const evaluation: Benchmark = {
  about: 'an evaluation of two indexes with HNSW beside a writer and a searcher, against both alone',
  options: {
    objects: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '1000' },
    dimensions: { type: 'string', default: '384,384' },
    seconds: { type: 'string', default: '20' },
  },
  async run({ runs, options, say }) {
    const objects = Number(options.objects);
    const dimensions = String(options.dimensions).split(',').map(Number);
    const { db, background, url, close } = await openBenchDatabase({ connections: 100, say });
    const system = await startProcesses(LIVE_COMMANDS, url, {}, say);
    try {
      const indexes = [];
      for (const [at, count] of dimensions.entries()) {
        say(`creates ${objects} objects with ${count} dimensions and their HNSW index`);
        const index = await givenObjects(db, `side-${at}`, objects, count);
        await buildVectorIndex(db, index, { memoryMb: 1_000 });
        indexes.push(index);
      }
      const [left, right] = indexes;
      if (!left || !right) throw new Error('--dimensions are those of two indexes, such as 384,768');
      await saveQuerySet(db, QUERY_SET, queriesOf(Number(options.queries), objects));
      const place = { reembed: createClient({ baseUrl: system.url }), db, background, source: left };
      const sides = { left: left.name, right: right.name };
      const plan = {
        title: `${options.queries} queries on two indexes of ${objects} objects, ${dimensions.join(' and ')} dimensions`,
        metrics: METRICS,
        candidate: together(place, system, sides),
        baseline: apart(place, system, sides, Number(options.seconds) * 1_000),
      };
      return {
        comparisons: [await compare(plan, { runs, say })],
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.temporalAddress)) },
      };
    } finally {
      await system.stop();
      await close();
    }
  },
};

function queriesOf(count: number, objects: number) {
  return Array.from({ length: count }, (_, at) => {
    const id = `object-${String(Math.floor((at * objects) / count)).padStart(9, '0')}`;
    return { id: `q${at}`, text: textOf(id), relevant: [{ id, grade: 1 }] };
  });
}

type Sides = { left: string; right: string };
interface Place extends LivePlace {
  background: Db;
}
type Processes = BenchProcesses<keyof typeof LIVE_COMMANDS>;

function together(place: Place, system: Processes, sides: Sides): Contender<Name> {
  return {
    name: 'together',
    async run() {
      let isOver = false;
      const work = liveLoad(place, () => !isOver);
      const figures = await evaluate(place, system, sides).finally(() => {
        isOver = true;
      });
      return { ...(await work), ...figures };
    },
  };
}

function apart(place: Place, system: Processes, sides: Sides, forMs: number): Contender<Name> {
  return {
    name: 'apart',
    async run() {
      const live = await liveLoad(place, whileMs(forMs));
      return { ...live, ...(await evaluate(place, system, sides)) };
    },
  };
}

/** Runs an evaluation; returns its times in seconds, and how much the memory of its worker grows. */
async function evaluate({ reembed, background }: Place, system: Processes, sides: Sides) {
  const before = await processorOf(background, system);
  const memory = system.resetPeaks().embed;
  const startMs = performance.now();
  const { status, detail } = await reembed.tasks.evaluate({ ...sides, querySet: QUERY_SET }, { wait: true });
  const seconds = (performance.now() - startMs) / 1_000;
  if (status !== 'done') throw new Error(`the evaluation is ${status}: ${detail}`);
  let processor = 0;
  for (const [pid, used] of await processorOf(background, system)) processor += used - (before.get(pid) ?? 0);
  return { evaluation: seconds, processor, memory: system.peaks().embed - memory };
}

/** Returns the processor seconds of the worker and of Postgres' background connections, by process. */
async function processorOf(background: Db, { pids }: Processes): Promise<Map<number, number>> {
  const { rows } = await sql<{ pid: number }>`
    select pid
    from pg_stat_activity
    where datname = current_database() and application_name = 'reembed background'`.execute(background);
  return new Map([pids.embed, ...rows.map(({ pid }) => pid)].map((pid) => [pid, processorSeconds(pid)]));
}
