import type { IndexConfig } from '../contract/indexes.ts';
import type { Basis, ReindexPlan } from '../contract/plan.ts';
import { type HnswIndex, resolveVectorIndex, type Storage } from '../contract/vector-index.ts';
import { graphBytes, indexedBytes } from '../store/plan/build-time.ts';
import type { TableSizes } from '../store/plan/sizes.ts';
import { estimated, exact, figure } from './figures.ts';

export interface SpaceInput {
  /** The settings of source and destination. */
  source: Pick<IndexConfig, 'model' | 'storage'>;
  config: Pick<IndexConfig, 'model' | 'average' | 'storage' | 'vectorIndex'>;
  sizes: TableSizes;
  /** Parts of the source, and all objects. */
  sourceParts: number;
  objects: number;
  /** Vectors of the complete destination. */
  destVectors: number;
  /** The destination's tables now; null if it does not exist. */
  existing: TableSizes | null;
  indexMemoryMb: number;
}

/** Bytes of a part's row besides its vector, and of its entry in the key. */
const ROW = { bytes: 90, key: 60 } as const;
/** Postgres keeps the vector of a longer row apart, in pieces with a header each. */
const APART = { above: 1_940, piece: 1_996, header: 36 } as const;
const PAGE_BYTES = 8_192;
const PAGE_USED = 8_160;

/** Bytes of a vector as pgvector stores it. */
const vectorBytes = (dimensions: number, storage: Storage | undefined) =>
  8 + (storage === 'halfvec' ? 2 : 4) * dimensions;

/** Estimates the disk while both indexes exist, and the memory of the HNSW build. */
export function spaceOf(input: SpaceInput): Pick<ReindexPlan, 'disk' | 'hnsw'> {
  const { sizes, existing, destVectors, indexMemoryMb, config } = input;
  const sourceBytes = sizes.objects + sizes.parts + sizes.keys + sizes.hnsw;
  const { table, index } = destBytes(input);
  const from = `the tables of the source, and ${destVectors} vectors of ${config.model.dimensions} dimensions`;
  const now = existing ? existing.objects + existing.parts + existing.keys + existing.hnsw : 0;
  const dest = Math.max(now, Math.round(table + index));
  const hnsw = resolveVectorIndex(config);
  const allowed = indexMemoryMb * 1024 * 1024;
  return {
    disk: {
      source: exact(sourceBytes, 'the sizes of its tables'),
      dest: estimated(dest, from),
      together: estimated(sourceBytes + dest, from),
    },
    hnsw: hnsw.kind === 'none' ? noIndex(allowed, config) : graphOf(hnsw, destVectors, allowed),
  };
}

function noIndex(allowed: number, { vectorIndex }: SpaceInput['config']): ReindexPlan['hnsw'] {
  const why = vectorIndex?.kind === 'none' ? 'the index is to have none' : 'pgvector cannot index so many dimensions';
  const none = { kind: 'none', precision: null, dimensions: 0, m: 0, efConstruction: 0 } as const;
  return { ...none, memory: exact(0, why), allowed, fits: null };
}

function graphOf(hnsw: HnswIndex, vectors: number, allowed: number): ReindexPlan['hnsw'] {
  const memory = Math.round(vectors * graphBytes(hnsw));
  const figured = figure(memory, 'estimated' satisfies Basis, `${vectors} vectors and their neighbors`);
  return { ...hnsw, memory: figured, allowed, fits: memory <= allowed };
}

function destBytes({ source, config, sizes, sourceParts, destVectors }: SpaceInput): { table: number; index: number } {
  const { dimensions } = config.model;
  const hnsw = resolveVectorIndex(config);
  const inSource = storedBytes(source.model.dimensions, source.storage);
  const measured = sourceParts > 0 ? sizes.parts / sourceParts - inSource : ROW.bytes;
  // A source with much dead space would make it too large, one with few rows too.
  const rowBytes = Math.min(Math.max(measured, ROW.bytes / 2), 3 * ROW.bytes);
  const keyBytes = sourceParts > 1_000 ? sizes.keys / sourceParts : ROW.key;
  const table = sizes.objects + destVectors * (rowBytes + storedBytes(dimensions, config.storage) + keyBytes);
  return { table, index: hnsw.kind === 'none' ? 0 : destVectors * hnswBytes(hnsw) };
}

/** Bytes of a vector in the table. */
function storedBytes(dimensions: number, storage: Storage | undefined): number {
  const bytes = vectorBytes(dimensions, storage);
  return bytes > APART.above ? apartBytes(bytes) : bytes;
}

/** Bytes of a value in pieces, which fill one page after the other. */
function apartBytes(bytes: number): number {
  const values = 100;
  let pages = 1;
  let used = 0;
  for (let value = 0; value < values; value++) {
    for (let left = bytes; left > 0; left -= APART.piece) {
      const piece = Math.min(left, APART.piece) + APART.header;
      if (used + piece > PAGE_USED) {
        pages++;
        used = 0;
      }
      used += piece;
    }
  }
  return (pages * PAGE_BYTES) / values;
}

/** Bytes of one vector and its neighbors in the HNSW index: as many fit on a page as there is room for. */
function hnswBytes(hnsw: HnswIndex): number {
  const { m } = hnsw;
  const element = 80 + indexedBytes(hnsw);
  const neighbors = 24 + (m * 2 + m / (m - 1)) * 6;
  return PAGE_BYTES / Math.max(1, Math.floor(PAGE_USED / (element + neighbors)));
}
