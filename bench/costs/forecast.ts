import { valueAt } from './fit.ts';
import { type Fits, fitAll, type Measured, type QuantityName } from './quantities.ts';

/** Prices and limits of others, which are given and not measured. */
export interface Terms {
  /** Tokens per minute that the model's provider allows. */
  tokensPerMinute: number;
  usdPerMillionTokens: number;
  usdPerMillionActions: number;
}

/** A tier of a large provider's small model, and the first tier of Temporal Cloud; both change: look them up. */
export const TERMS: Terms = { tokensPerMinute: 5_000_000, usdPerMillionTokens: 0.02, usdPerMillionActions: 50 };

/** What an index of a size takes. Everything is extrapolated from fits; times are those of the measured machine. */
export interface Forecast {
  /** Objects with one part each. */
  parts: number;
  /** Bytes on disk of one index, and while a reindex runs and the old one is kept. */
  disk: number;
  diskWhileRebuilt: number;
  /** Bytes of WAL of one reindex, HNSW build included, and of a write of all objects. */
  reindexWal: number;
  writeWal: number;
  /** Bytes of the graph that should fit into the memory of the build. */
  graph: number;
  /** Seconds of the build with enough memory, by one process. */
  buildSeconds: number;
  /** Seconds of the copy if the model answers at once, and if its quota is the limit. */
  copySeconds: number;
  embedSeconds: number;
  tokens: number;
  tokensUsd: number;
  /** Temporal actions of a reindex, heartbeats included, and events of its histories. */
  reindexActions: number;
  reindexEvents: number;
  /** Temporal actions to write all objects: in tasks of 10,000, and in one task each. */
  bulkActions: number;
  singleActions: number;
  singleActionsUsd: number;
}

/** Constants from measurements of at least two sizes. */
export interface Constants {
  fits: Fits;
  /** Heartbeats per second of a reindex; they depend on its time, not on its size. */
  heartbeatsPerSecond: number;
  single: Measured['single'];
}

/** Computes the constants. Error: `RangeError` with fewer than two sizes. */
export function constantsOf(measured: readonly Measured[]): Constants {
  const sumOf = (name: QuantityName) => measured.reduce((sum, { figures }) => sum + figures[name], 0);
  const meanOf = (name: keyof Measured['single']) =>
    measured.reduce((sum, { single }) => sum + single[name], 0) / measured.length;
  return {
    fits: fitAll(measured),
    heartbeatsPerSecond: sumOf('reindexHeartbeats') / sumOf('reindexSeconds'),
    single: { wal: meanOf('wal'), actions: meanOf('actions'), events: meanOf('events'), history: meanOf('history') },
  };
}

const TABLES = ['objectsTable', 'objectsToast', 'objectsIndexes', 'partsTable', 'partsToast', 'partsIndexes'] as const;

/** Objects of one task that writes many, a size between those that are measured; a task takes more. */
const BULK = 10_000;

/** Extrapolates to an index of `parts` objects with one part each. */
export function forecast({ fits, heartbeatsPerSecond, single }: Constants, parts: number, terms: Terms): Forecast {
  const at = (name: QuantityName) => Math.max(0, valueAt(fits[name], parts));
  const disk = [...TABLES, 'hnsw' as const].reduce((sum, name) => sum + at(name), 0);
  const [tokens, copySeconds, buildSeconds] = [at('tokens'), at('copySeconds'), at('buildSeconds')];
  const embedSeconds = (60 * tokens) / terms.tokensPerMinute;
  const seconds = Math.max(copySeconds, embedSeconds) + buildSeconds + at('verifySeconds');
  const singleActions = parts * single.actions;
  return {
    parts,
    ...{ disk, diskWhileRebuilt: 2 * disk },
    ...{ reindexWal: at('copyWal') + at('buildWal'), writeWal: at('writeWal') },
    ...{ graph: at('buildMemory'), buildSeconds, copySeconds, embedSeconds },
    ...{ tokens, tokensUsd: (tokens / 1e6) * terms.usdPerMillionTokens },
    reindexActions: at('reindexActions') + heartbeatsPerSecond * seconds,
    reindexEvents: at('reindexEvents'),
    bulkActions: bulkActionsOf(fits, parts),
    ...{ singleActions, singleActionsUsd: (singleActions / 1e6) * terms.usdPerMillionActions },
  };
}

/** Each task of many objects costs what one of that size does. */
function bulkActionsOf({ writeActions }: Fits, parts: number): number {
  const [whole, rest] = [Math.floor(parts / BULK), parts % BULK];
  return whole * valueAt(writeActions, BULK) + (rest > 0 ? valueAt(writeActions, rest) : 0);
}
