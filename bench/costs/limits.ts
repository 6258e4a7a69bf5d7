import { largestWithin, valueAt } from './fit.ts';
import type { Constants, Terms } from './forecast.ts';
import type { QuantityName } from './quantities.ts';

/** The machine and the settings whose limits count. */
export interface Deployment extends Terms {
  /** Memory of one HNSW build, `REEMBED_INDEX_MEMORY_MB`, and all memory of the Postgres server. */
  indexMemoryMb: number;
  serverMemoryGb: number;
  diskTb: number;
}

/** A limit, and what to do before it is reached. */
export interface Limit {
  what: string;
  /** Largest number of parts within it; infinity if nothing of a size that counts exceeds it. */
  parts: number;
  /** Where the bound comes from. */
  bound: string;
  todo: string;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TIB = 2 ** 40;
const DAY_SECONDS = 86_400;
/** Time limits of the activities of a reindex. */
const WITHIN = { build: DAY_SECONDS, verify: 3_600, plan: 600 } as const;
/** Blocks of one Postgres table, 8 kB each, and numbers of values that one table may keep apart. */
const TABLE_BYTES = 2 ** 32 * 8_192;
const TOAST_VALUES = 2 ** 32;

/** Returns the limits of an index that grows, the one that is reached first in front. */
export function limitsOf({ fits, single }: Constants, given: Deployment): Limit[] {
  const within = (names: readonly QuantityName[], bound: number) =>
    largestWithin((parts) => names.reduce((sum, name) => sum + valueAt(fits[name], parts), 0), bound);
  const { indexMemoryMb, serverMemoryGb, diskTb, tokensPerMinute } = given;
  const limits: Limit[] = [
    {
      what: 'the HNSW graph fits into the memory of a build',
      parts: within(['buildMemory'], indexMemoryMb * MIB),
      bound: `REEMBED_INDEX_MEMORY_MB=${indexMemoryMb}`,
      todo: 'raise it: beyond it a build takes 3 to 10 times as long. Half precision, bits or fewer dimensions need less',
    },
    {
      what: 'the HNSW graph fits into the memory of the server',
      parts: within(['buildMemory'], serverMemoryGb * GIB),
      bound: `${serverMemoryGb} GiB`,
      todo: 'as above; then several databases or Citus, where each node builds its share',
    },
    {
      what: 'a model embeds everything within a day',
      parts: within(['tokens'], tokensPerMinute * (DAY_SECONDS / 60)),
      bound: `${tokensPerMinute.toLocaleString('en')} tokens per minute`,
      todo: 'a higher tier, the batch interface of the provider, or a model of your own',
    },
    {
      what: 'the HNSW build ends within its time, by one process with enough memory',
      parts: within(['buildSeconds'], WITHIN.build),
      bound: '24 hours',
      todo: 'more processes per build, faster processors; then several databases or Citus',
    },
    {
      what: 'the comparison before the switch ends within its time',
      parts: within(['verifySeconds'], WITHIN.verify),
      bound: '1 hour',
      todo: 'faster disks and more memory; then several databases or Citus',
    },
    {
      what: 'the plan of the slices ends within its time',
      parts: within(['planSeconds'], WITHIN.plan),
      bound: '10 minutes',
      todo: 'the same',
    },
    {
      what: 'two copies of the index fit onto the disk',
      parts: within([...ROWS, 'partsIndexes', 'objectsIndexes', 'hnsw'], (diskTb * TIB) / 2),
      bound: `${diskTb} TiB`,
      todo: 'delete the old index soon, store in half precision, a larger disk, several databases or Citus',
    },
    {
      what: 'the largest table stays below the limit of Postgres',
      parts: Math.min(...ROWS.map((name) => within([name], TABLE_BYTES)), within(['hnsw'], TABLE_BYTES)),
      bound: '32 TiB',
      todo: 'several databases or Citus',
    },
    {
      what: 'each vector of more than 480 dimensions has a number of its own, since it is kept apart from its row',
      parts: TOAST_VALUES,
      bound: '4,294,967,296 values kept apart',
      todo: 'half precision up to 960 dimensions, which Postgres keeps in the row; several databases or Citus',
    },
    {
      what: 'a write of each object by a task of its own costs up to $1,000 of Temporal actions',
      parts: largestWithin((parts) => (parts * single.actions * given.usdPerMillionActions) / 1e6, 1_000),
      bound: `$${given.usdPerMillionActions} per million actions`,
      todo: 'many objects per task: NDJSON, `bulk` of the client, or a source that is followed',
    },
  ];
  return limits.sort((one, other) => one.parts - other.parts);
}

const ROWS = ['objectsTable', 'objectsToast', 'partsTable', 'partsToast'] as const;
