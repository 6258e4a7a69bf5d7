import { type Fit, fitGrowth, type Growth } from './fit.ts';

export interface Quantity {
  /** What is measured, for people. */
  title: string;
  unit: 'bytes' | 's' | '1';
  growth: Growth;
}

const bytes = (title: string): Quantity => ({ title, unit: 'bytes', growth: 'linear' });
const count = (title: string): Quantity => ({ title, unit: '1', growth: 'linear' });
const seconds = (title: string, growth: Growth = 'linear'): Quantity => ({ title, unit: 's', growth });

/** Everything that is measured at each size, for an index of as many objects with one part each. */
export const QUANTITIES = {
  objectsTable: bytes('objects: rows'),
  objectsToast: bytes('objects: long values, kept apart'),
  objectsIndexes: bytes('objects: indexes'),
  partsTable: bytes('parts: rows'),
  partsToast: bytes('parts: long vectors, kept apart'),
  partsIndexes: bytes('parts: key'),
  hnsw: bytes('parts: HNSW index'),
  writeWal: bytes('WAL of one write of all objects'),
  copyWal: bytes('WAL of the copy of a reindex'),
  buildWal: bytes('WAL of the HNSW build'),
  buildSeconds: seconds('HNSW build by one process', 'build'),
  buildMemory: bytes('memory of the HNSW build'),
  planSeconds: seconds('plan of the slices'),
  copySeconds: seconds('copy of a reindex'),
  verifySeconds: seconds('comparison before the switch'),
  reindexSeconds: seconds('reindex, from start to end'),
  writeActions: count('Temporal actions of one write of all objects'),
  writeEvents: count('history events of that write'),
  reindexActions: count('Temporal actions of a reindex, without heartbeats'),
  reindexHeartbeats: count('heartbeats of a reindex'),
  reindexEvents: count('history events of a reindex'),
  reindexHistory: bytes('histories of a reindex'),
  tokens: count('tokens, about'),
  apiMemory: bytes('peak memory of the API'),
  workerMemory: bytes('peak memory of the worker'),
} as const satisfies Record<string, Quantity>;
export type QuantityName = keyof typeof QUANTITIES;

/** What was measured with one size. */
export interface Measured {
  /** Objects, and as many parts. */
  size: number;
  figures: Record<QuantityName, number>;
  /** Means of writes of one object each, by one task each. */
  single: { wal: number; actions: number; events: number; history: number };
}

/** Fits of all quantities over the size. */
export type Fits = Record<QuantityName, Fit>;

/** Fits everything that was measured at two or more sizes. Error: `RangeError`. */
export function fitAll(measured: readonly Measured[]): Fits {
  const entries = Object.entries(QUANTITIES).map(([name, { growth }]) => {
    const points = measured.map(({ size, figures }) => ({ x: size, y: figures[name as QuantityName] }));
    return [name, fitGrowth(points, growth)] as const;
  });
  return Object.fromEntries(entries) as Fits;
}
