import { mean, min, quantile } from 'simple-statistics';
import type { Filter } from '../src/contract/filters.ts';
import type { Db } from '../src/store/database.ts';
import { searchObjects } from '../src/store/search.ts';
import { buildVectorIndex } from '../src/store/vector-index.ts';
import { type Clustered, fieldOf, givenClustered, SHARES } from './clustered.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions } from './machine.ts';

const METRICS = [
  { name: 'recall, mean', unit: '', better: 'higher' },
  { name: 'recall, min', unit: '', better: 'higher' },
  { name: 'search, p50', unit: 'ms', better: 'lower' },
  { name: 'search, p95', unit: 'ms', better: 'lower' },
  { name: 'exact', unit: '', better: 'higher' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const LIMIT = 10;
/** Cosine similarities this close are equal. */
const SAME = 1e-5;

interface Case {
  title: string;
  filter: Filter;
  keeps: (metadata: Clustered['metadata'][number]) => boolean;
}

const CASES: Case[] = [
  ...(['random', 'cluster'] as const).flatMap((kind) =>
    SHARES.map((share): Case => {
      const field = fieldOf(kind, share);
      const which = kind === 'random' ? 'objects at random' : 'whole clusters';
      return { title: `${share * 100} %, ${which}`, filter: { [field]: true }, keeps: (one) => one[field] === true };
    }),
  ),
  { title: 'none', filter: { nothing: true }, keeps: () => false },
  ...[0.5, 0.005].map(
    (share): Case => ({
      title: `${share * 100} %, a range`,
      filter: { rank: { lt: share } },
      keeps: ({ rank }) => (rank as number) < share,
    }),
  ),
];

export const filters: Benchmark = {
  about: 'recall and latency of searches with a filter, against the same without',
  options: {
    objects: { type: 'string', default: '100000' },
    dimensions: { type: 'string', default: '128' },
    queries: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
  },
  async run({ runs, options, say }) {
    const { db, url, close } = await openBenchDatabase({ connections: 4, say });
    try {
      say('makes the objects');
      const sizes = { objects: Number(options.objects), dimensions: Number(options.dimensions) };
      const data = await givenClustered(db, { ...sizes, queries: Number(options.queries), seed: 1 });
      say('builds the HNSW index');
      await buildVectorIndex(db, data.index, { memoryMb: 1_000 });
      const baseline = searcher(db, data, { title: 'no filter', filter: {}, keeps: () => true });
      const comparisons = [];
      for (const one of CASES.filter(({ title }) => title.includes(String(options.only)))) {
        const plan = { title: one.title, metrics: METRICS, candidate: searcher(db, data, one), baseline };
        comparisons.push(await compare(plan, { runs, say }));
      }
      return { comparisons, versions: await postgresVersions(url) };
    } finally {
      await close();
    }
  },
};

/** Searches with all queries, one after the other. */
function searcher(db: Db, data: Clustered, { title, filter, keeps }: Case): Contender<Name> {
  const kept = data.vectors.filter((_, at) => keeps(data.metadata[at] ?? {}));
  const wanted = data.queries.map((query) => bestScores(query, kept));
  return {
    name: title,
    async run() {
      const [times, recalls, exact]: [number[], number[], number[]] = [[], [], []];
      for (const [at, vector] of data.queries.entries()) {
        const startMs = performance.now();
        const found = await searchObjects(db, data.index, { vector, limit: LIMIT, filter });
        times.push(performance.now() - startMs);
        exact.push(found.exact ? 1 : 0);
        const worst = (wanted[at]?.at(-1) ?? 0) - SAME;
        const good = found.hits.filter(({ score }) => score >= worst).length;
        recalls.push(wanted[at]?.length === 0 ? 1 : good / (wanted[at]?.length ?? 1));
      }
      return {
        'recall, mean': mean(recalls),
        'recall, min': min(recalls),
        'search, p50': quantile(times, 0.5),
        'search, p95': quantile(times, 0.95),
        exact: mean(exact),
      };
    },
  };
}

/** The best similarities, by comparing all vectors here. */
function bestScores(query: readonly number[], vectors: readonly Float32Array[]): number[] {
  const scores = Float64Array.from(vectors, (vector) =>
    query.reduce((sum, value, at) => sum + value * (vector[at] as number), 0),
  );
  return [...scores.sort().reverse().slice(0, LIMIT)];
}
