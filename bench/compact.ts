import { sql } from 'kysely';
import { mean, quantile } from 'simple-statistics';
import { type IndexConfigInput, indexConfigSchema } from '../src/contract/indexes.ts';
import { type Db, transaction } from '../src/store/database.ts';
import { ensureIndex } from '../src/store/indexes.ts';
import { tablesOf } from '../src/store/partitions.ts';
import { vectorsParameter } from '../src/store/protocol/object-parts.ts';
import type { IndexRow } from '../src/store/schema.ts';
import { searchObjects } from '../src/store/search.ts';
import { buildVectorIndex, vectorIndexName } from '../src/store/vector-index.ts';
import { openBenchDatabase } from './database.ts';
import { embedGlosses, type Glosses } from './glosses.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions } from './machine.ts';

const METRICS = [
  { name: 'table', unit: 'MB', better: 'lower' },
  { name: 'HNSW index', unit: 'MB', better: 'lower' },
  { name: 'build', unit: 's', better: 'lower' },
  { name: 'recall@10', unit: '', better: 'higher' },
  { name: 'search, p50', unit: 'ms', better: 'lower' },
  { name: 'search, p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

type Settings = Pick<IndexConfigInput, 'storage' | 'vectorIndex'>;

const SETTINGS: [title: string, settings: Settings][] = [
  ['half', { vectorIndex: { precision: 'half' } }],
  ['bit', { vectorIndex: { precision: 'bit' } }],
  ['first 192', { vectorIndex: { dimensions: 192 } }],
  ['first 192, half', { vectorIndex: { dimensions: 192, precision: 'half' } }],
  ['stored in half', { storage: 'halfvec' }],
  ['stored in half, bit', { storage: 'halfvec', vectorIndex: { precision: 'bit' } }],
];

const LIMIT = 10;
const BATCH = 1_000;
/** Cosine similarities this close are equal. */
const SAME = 1e-5;

export const compact: Benchmark = {
  about: 'size, build, recall and latency of compact vector indexes, against the usual one, on real embeddings',
  options: {
    parts: { type: 'string', default: '20000' },
    queries: { type: 'string', default: '200' },
  },
  async run({ runs, options, say }) {
    const glosses = await embedGlosses({ parts: Number(options.parts), queries: Number(options.queries) }, say);
    const { db, url, close } = await openBenchDatabase({ connections: 4, say });
    try {
      const truth = await truthOf(db, glosses);
      const contender = (name: string, settings: Settings): Contender<Name> => ({
        name,
        run: () => measure(db, { glosses, truth, settings }),
      });
      // One baseline for all: its figures of a run do not depend on what it is compared with.
      const usual = contender('full', {});
      const figures: ReturnType<typeof usual.run>[] = [];
      const comparisons = [];
      for (const [title, settings] of SETTINGS) {
        const candidate = contender(title, settings);
        let run = 0;
        const baseline = { name: usual.name, run: () => (figures[run++] ??= usual.run()) };
        const plan = { title, metrics: METRICS, candidate, baseline };
        comparisons.push(await compare(plan, { runs, say, warmUp: false }));
      }
      return { comparisons, versions: await postgresVersions(url) };
    } finally {
      await close();
    }
  },
};

/** For each query, the similarity of its tenth neighbor among the vectors as the model returned them. */
type Truth = number[];

async function truthOf(db: Db, glosses: Glosses): Promise<Truth> {
  const index = await filled(db, glosses, { vectorIndex: { kind: 'none' } });
  const worst: Truth = [];
  for (const query of glosses.queries) {
    const { hits } = await searchObjects(db, index, { vector: query, limit: LIMIT });
    worst.push(hits.at(-1)?.score ?? 0);
  }
  await drop(db, index);
  return worst;
}

let made = 0;

async function filled(db: Db, { vectors }: Glosses, settings: Settings): Promise<IndexRow> {
  const config = indexConfigSchema.parse({ model: { provider: 'local' }, ...settings });
  const { index } = await transaction(db, (trx) => ensureIndex(trx, `compact-${++made}`, config));
  const { objects, parts } = tablesOf(index.no);
  for (let from = 0; from < vectors.length; from += BATCH) {
    const some = vectors.slice(from, from + BATCH);
    const ids = some.map((_, at) => String(from + at));
    await transaction(db, async (trx) => {
      await sql`
        insert into ${objects} (index_no, object_id, version, change, payload, metadata, hash)
        select ${index.no}::int, id, 1, nextval('reembed.changes'), '"text"', '{}', 'hash'
        from unnest(${ids}::text[]) o(id)`.execute(trx);
      await sql`
        insert into ${parts} (index_no, object_id, part, embedding)
        select ${index.no}::int, id, 0, vector
        from unnest(${ids}::text[], ${await vectorsParameter(trx, some)}::vector[]) p(id, vector)`.execute(trx);
    });
  }
  await sql`analyze ${objects}, ${parts}`.execute(db);
  return index;
}

async function drop(db: Db, index: IndexRow): Promise<void> {
  const { objects, parts } = tablesOf(index.no);
  await sql`drop table ${objects}, ${parts}`.execute(db);
}

async function measure(
  db: Db,
  { glosses, truth, settings }: { glosses: Glosses; truth: Truth; settings: Settings },
): Promise<Record<Name, number>> {
  const index = await filled(db, glosses, settings);
  try {
    let buildMs = 0;
    await buildVectorIndex(db, index, { memoryMb: 256, onBuilt: (ms) => (buildMs = ms) });
    const times: number[] = [];
    const recalls: number[] = [];
    // The first round fills the caches.
    for (const isCounted of [false, true]) {
      for (const [at, vector] of glosses.queries.entries()) {
        const startMs = performance.now();
        const { hits } = await searchObjects(db, index, { vector, limit: LIMIT });
        if (!isCounted) continue;
        times.push(performance.now() - startMs);
        recalls.push(recallOf(glosses, { vector, ids: hits.map(({ id }) => id), worst: truth[at] as number }));
      }
    }
    const mb = (bytes: number) => bytes / 1024 / 1024;
    return {
      table: mb(await sizeOf(db, `reembed.parts_${index.no}`)),
      'HNSW index': mb(await sizeOf(db, `reembed.${vectorIndexName(index.no)}`)),
      build: buildMs / 1_000,
      'recall@10': mean(recalls),
      'search, p50': quantile(times, 0.5),
      'search, p95': quantile(times, 0.95),
    };
  } finally {
    await drop(db, index);
  }
}

/** The share of the hits that are among the nearest by the vectors as the model returned them. */
function recallOf(
  { vectors }: Glosses,
  { vector, ids, worst }: { vector: Float32Array; ids: string[]; worst: number },
): number {
  const good = ids.filter((id) => similarity(vector, vectors[Number(id)] as Float32Array) >= worst - SAME);
  return good.length / LIMIT;
}

function similarity(left: Float32Array, right: Float32Array): number {
  let [dot, ofLeft, ofRight] = [0, 0, 0];
  for (let at = 0; at < left.length; at++) {
    const [one, other] = [left[at] as number, right[at] as number];
    dot += one * other;
    ofLeft += one * one;
    ofRight += other * other;
  }
  return dot / Math.sqrt(ofLeft * ofRight);
}

async function sizeOf(db: Db, relation: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select pg_table_size(${relation}::regclass) as bytes`.execute(db);
  return Number(rows[0]?.bytes ?? 0);
}
