import type { BuildTimes } from '../../contract/index-build.ts';
import type { HnswIndex } from '../../contract/vector-index.ts';

/** What the time of an HNSW build depends on. */
export interface BuildInput {
  vectors: number;
  /** Dimensions of the stored vectors; the index may have fewer. */
  dimensions: number;
  /** Time of one distance of stored vectors on the database server. */
  distanceMicroseconds: number;
  hnsw: Pick<HnswIndex, 'precision' | 'dimensions' | 'efConstruction'>;
  /** Bytes of the graph, and those that a build may use. */
  memory: number;
  allowed: number;
}

/**
 * Time to place a vector in the HNSW index, in milliseconds, over the logarithm of their number: it grows with the
 * dimensions, and with the memory that no longer fits into the caches of the processor. Measured where a distance takes
 * `distance` microseconds, for texts and two processes that build; random vectors take twice as long.
 */
const BUILD = {
  place: { fixed: 0.0043, number: 0.0000135 },
  distance: { fixed: 0.08, number: 0.0002 },
  cache: { bytes: 2 * 1024 * 1024, perNumber: 0.0006, max: 0.2 },
  bitsPerNumber: 40,
  /** Width of the search for neighbors with which it was measured. */
  usualWidth: 64,
  /** Factor without enough memory: 3 to 10. */
  onDisk: 5,
  seconds: 0.1,
} as const;

/** Factor of inserts into an index that is there, over two connections, to a build in memory. */
export const INSERT_FACTOR = 5;

/** `split` builds on half of the objects if a build of all fits into its memory. */
const HALF = 0.5;

/** Bytes that the `m` neighbors of a vector take during the build. */
const GRAPH = { bytes: 707, m: 16 } as const;
const BITS = { full: 32, half: 16, bit: 1 } as const;

/** Bytes of a vector in the HNSW index. */
export const indexedBytes = ({ precision, dimensions }: HnswIndex) => 8 + Math.ceil((BITS[precision] * dimensions) / 8);

/** Bytes of one vector and its neighbors in memory while the index is built. */
export function graphBytes(hnsw: HnswIndex): number {
  return (GRAPH.bytes * hnsw.m) / GRAPH.m + indexedBytes(hnsw);
}

/** Estimates the seconds of a build. */
export function buildSeconds({
  vectors,
  dimensions: stored,
  distanceMicroseconds,
  hnsw,
  memory,
  allowed,
}: BuildInput): number {
  if (vectors < 2) return 0;
  // A bit costs about a fortieth of a number. The distance was measured with all of them.
  const dimensions = hnsw.precision === 'bit' ? hnsw.dimensions / BUILD.bitsPerNumber : hnsw.dimensions;
  const { place, distance } = BUILD;
  const speed = distanceMicroseconds / (distance.fixed + distance.number * stored);
  const width = hnsw.efConstruction / BUILD.usualWidth;
  const steps = buildSteps({ vectors, dimensions, memory });
  const ms = width * steps * (place.fixed + place.number * dimensions) * speed;
  return BUILD.seconds + (ms * (memory <= allowed ? 1 : BUILD.onDisk)) / 1_000;
}

/** How the time of a build grows: with the vectors, the depth of their graph, and the share outside of the caches. */
export function buildSteps({
  vectors,
  dimensions,
  memory,
}: Pick<BuildInput, 'vectors' | 'dimensions' | 'memory'>): number {
  const { cache } = BUILD;
  const doublings = Math.max(0, Math.log2(memory / cache.bytes));
  const misses = 1 + Math.min(cache.max, cache.perNumber * dimensions) * doublings;
  return vectors * Math.log2(vectors) * misses;
}

/** Estimates the seconds of inserts into an HNSW index that is there: their memory is the cache of the server. */
export function insertSeconds(input: BuildInput): number {
  return INSERT_FACTOR * buildSeconds({ ...input, allowed: Number.POSITIVE_INFINITY });
}

/** Estimates what the choice of when to build depends on. `copySeconds`: of everything, without an HNSW index. */
export function buildTimes(input: BuildInput, copySeconds: number, isLive: boolean): BuildTimes {
  const { vectors, memory, allowed } = input;
  const fits = memory <= allowed;
  const share = fits ? HALF : allowed / memory;
  const ofSplit = { ...input, vectors: Math.floor(vectors * share), memory: memory * share };
  return {
    copy: copySeconds,
    build: buildSeconds(input),
    inserts: insertSeconds(input),
    split: { share, build: buildSeconds(ofSplit) },
    ...{ fits, isLive },
  };
}
