import type { Machine } from '../machine.ts';
import type { Measured } from './quantities.ts';

/** What one number of dimensions takes, with `parts` parts; bytes are those of all of them. */
export interface Sweep {
  dimensions: number;
  parts: number;
  table: number;
  hnsw: number;
  memory: number;
  wal: number;
  seconds: number;
}

/** Everything that `npm run costs` measures; the pages are made from a saved one. */
export interface CostsReport {
  /** ISO 8601. */
  time: string;
  machine: Machine;
  /** Processes that wanted a processor, on average of a minute, before and after: above the cores, times are too long. */
  load: { before: number; after: number };
  /** Dimensions of the vectors of the sizes. */
  dimensions: number;
  measured: Measured[];
  sweep: Sweep[];
}
