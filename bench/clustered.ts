import { sql } from 'kysely';
import { indexConfigSchema } from '../src/contract/indexes.ts';
import { type Db, transaction } from '../src/store/database.ts';
import { ensureIndex } from '../src/store/indexes.ts';
import { tablesOf } from '../src/store/partitions.ts';
import type { IndexRow } from '../src/store/schema.ts';

/** Objects whose vectors form clusters, as those of real texts do, with metadata to filter by. */
export interface Clustered {
  index: IndexRow;
  vectors: Float32Array[];
  metadata: Record<string, boolean | number>[];
  /** Vectors near random objects. */
  queries: number[][];
}

/** Shares of the objects that the filters keep. */
export const SHARES = [0.5, 0.05, 0.005, 0.0005] as const;
const CLUSTERS = 200;
/** Length of the noise against that of the center, which is 1. */
const SPREAD = 1;
const BATCH = 1_000;

/** Names of the fields that are true for a share of the objects: chosen at random, or by cluster. */
export const fieldOf = (kind: 'random' | 'cluster', share: number) => `${kind}${share * 10_000}`;

/** Creates an index with clustered objects. The same seed makes the same objects. */
export async function givenClustered(
  db: Db,
  { objects: count, dimensions, queries, seed }: { objects: number; dimensions: number; queries: number; seed: number },
): Promise<Clustered> {
  const random = mulberry(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const near = (center: ArrayLike<number>, spread: number) =>
    unit(Float32Array.from({ length: dimensions }, (_, at) => (center[at] as number) + spread * normal()));
  const centers = Array.from({ length: CLUSTERS }, () => near(new Float32Array(dimensions), 1));
  const spread = SPREAD / Math.sqrt(dimensions);
  const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions } });
  const { index } = await transaction(db, (trx) => ensureIndex(trx, 'clustered', config));
  const vectors: Float32Array[] = [];
  const metadata: Clustered['metadata'] = [];
  for (let at = 0; at < count; at++) {
    const place = random();
    const byObject = random();
    vectors.push(near(centers[Math.floor(place * CLUSTERS)] as Float32Array, spread));
    const flags = SHARES.flatMap((share) => [
      ...(byObject < share ? [[fieldOf('random', share), true]] : []),
      ...(place < share ? [[fieldOf('cluster', share), true]] : []),
    ]);
    metadata.push({ ...Object.fromEntries(flags), rank: byObject });
    if (vectors.length % BATCH === 0 || at === count - 1) await insert(db, index, vectors, metadata);
  }
  const { objects, parts } = tablesOf(index.no);
  await sql`analyze ${objects}, ${parts}`.execute(db);
  const asked = Array.from({ length: queries }, () =>
    Array.from(near(vectors[Math.floor(random() * count)] as Float32Array, spread / 2)),
  );
  return { index, vectors, metadata, queries: asked };
}

async function insert(db: Db, index: IndexRow, all: Float32Array[], allMetadata: object[]): Promise<void> {
  const { objects, parts } = tablesOf(index.no);
  const from = all.length - (all.length % BATCH || BATCH);
  const ids = all.slice(from).map((_, at) => String(from + at));
  const vectors = all.slice(from).map((vector) => `[${vector.join()}]`);
  const metadata = allMetadata.slice(from).map((one) => JSON.stringify(one));
  await sql`
    insert into ${objects} (index_no, object_id, version, change, payload, metadata, hash)
    select ${index.no}::int, id, 1, nextval('reembed.changes'), '"text"', metadata::jsonb, 'hash'
    from unnest(${ids}::text[], ${metadata}::text[]) o(id, metadata)`.execute(db);
  await sql`
    insert into ${parts} (index_no, object_id, part, embedding)
    select ${index.no}::int, id, 0, vector::vector
    from unnest(${ids}::text[], ${vectors}::text[]) p(id, vector)`.execute(db);
}

/** Returns vectors by the seed of a text: unit vectors around centers that every caller with these dimensions shares. */
export function clusteredVectors(dimensions: number): (seed: number) => Float32Array {
  const spread = SPREAD / Math.sqrt(dimensions);
  const normalOf = (random: () => number) => () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const ofCenters = normalOf(mulberry(1));
  const centers = Array.from({ length: CLUSTERS }, () => unit(Float32Array.from({ length: dimensions }, ofCenters)));
  return (seed) => {
    const random = mulberry(seed);
    const center = centers[Math.floor(random() * CLUSTERS)] as Float32Array;
    const normal = normalOf(random);
    return unit(center.map((value) => value + spread * normal()));
  };
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** A small random generator with a seed. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
