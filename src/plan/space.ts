import type { IndexConfig } from '../contract/indexes.ts';
import type { Basis, ReindexPlan } from '../contract/plan.ts';
import type { TableSizes } from '../store/plan/sizes.ts';
import { vectorIndexKind } from '../store/vector-index.ts';
import { estimated, exact, figure } from './figures.ts';

/** pgvector's defaults, with which all HNSW indexes are built. */
export const HNSW = { m: 16, efConstruction: 64 } as const;

export interface SpaceInput {
  /** The settings of source and destination. */
  source: Pick<IndexConfig, 'model'>;
  config: Pick<IndexConfig, 'model' | 'average'>;
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
const vectorBytes = (dimensions: number) => 8 + 4 * dimensions;
const indexedBytes = (dimensions: number, kind: ReindexPlan['hnsw']['kind']) =>
  8 + (kind === 'halfvec' ? 2 : 4) * dimensions;

/** Estimates the disk while both indexes exist, and the memory of the HNSW build. */
export function spaceOf(input: SpaceInput): Pick<ReindexPlan, 'disk' | 'hnsw'> {
  const { sizes, existing, destVectors, indexMemoryMb, config } = input;
  const sourceBytes = sizes.objects + sizes.parts + sizes.keys + sizes.hnsw;
  const { table, index } = destBytes(input);
  const from = `the tables of the source, and ${destVectors} vectors of ${config.model.dimensions} dimensions`;
  const now = existing ? existing.objects + existing.parts + existing.keys + existing.hnsw : 0;
  const dest = Math.max(now, Math.round(table + index));
  const kind = vectorIndexKind(config.model.dimensions);
  const allowed = indexMemoryMb * 1024 * 1024;
  const memory = Math.round(destVectors * graphBytes(config.model.dimensions, kind));
  return {
    disk: {
      source: exact(sourceBytes, 'the sizes of its tables'),
      dest: estimated(dest, from),
      together: estimated(sourceBytes + dest, from),
    },
    hnsw: {
      kind,
      ...{ m: HNSW.m, efConstruction: HNSW.efConstruction },
      memory:
        kind === 'none'
          ? exact(0, 'pgvector cannot index so many dimensions')
          : figure(memory, 'estimated' satisfies Basis, `${destVectors} vectors and their neighbors`),
      allowed,
      fits: kind === 'none' ? null : memory <= allowed,
    },
  };
}

function destBytes({ source, config, sizes, sourceParts, destVectors }: SpaceInput): { table: number; index: number } {
  const { dimensions } = config.model;
  const kind = vectorIndexKind(dimensions);
  const measured = sourceParts > 0 ? sizes.parts / sourceParts - storedBytes(source.model.dimensions) : ROW.bytes;
  // A source with much dead space would make it too large, one with few rows too.
  const rowBytes = Math.min(Math.max(measured, ROW.bytes / 2), 3 * ROW.bytes);
  const keyBytes = sourceParts > 1_000 ? sizes.keys / sourceParts : ROW.key;
  const table = sizes.objects + destVectors * (rowBytes + storedBytes(dimensions) + keyBytes);
  return { table, index: kind === 'none' ? 0 : destVectors * hnswBytes(dimensions, kind) };
}

/** Bytes of a vector in the table. */
function storedBytes(dimensions: number): number {
  const bytes = vectorBytes(dimensions);
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
function hnswBytes(dimensions: number, kind: ReindexPlan['hnsw']['kind']): number {
  const element = 80 + indexedBytes(dimensions, kind);
  const neighbors = 24 + (HNSW.m * 2 + HNSW.m / (HNSW.m - 1)) * 6;
  return PAGE_BYTES / Math.max(1, Math.floor(PAGE_USED / (element + neighbors)));
}

/** Bytes of one vector and its neighbors in memory while the index is built. */
export function graphBytes(dimensions: number, kind: ReindexPlan['hnsw']['kind']): number {
  return 707 + indexedBytes(dimensions, kind);
}
