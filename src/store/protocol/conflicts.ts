import type { IndexRow } from '../schema.ts';
import type { Lock } from './locks.ts';

/** Input of the conflict rules: both indexes and all unexpired locks of other tasks. */
export interface ConflictState {
  source: Pick<IndexRow, 'no' | 'name' | 'state'>;
  dest: Pick<IndexRow, 'no' | 'name' | 'state'>;
  locks: readonly Lock[];
  /** Aliases that point to the destination. */
  destAliases: readonly string[];
  maxConcurrentReindexes: number;
}

export interface ConflictRule {
  reason: string;
  /** Refused regardless of `onConflict`, because waiting would not help. */
  alwaysRefused: boolean;
  applies(state: ConflictState): boolean;
  describe(state: ConflictState): string;
}

/** Says why a lock is in the way: a mirror rebuilds nothing. */
function heldText(
  name: string,
  verb: 'rebuilt' | 'built',
  { taskId, mirror }: Pick<Lock, 'taskId' | 'mirror'>,
): string {
  if (!mirror) return `${name} is being ${verb} by the task ${taskId}`;
  const how = verb === 'rebuilt' ? 'serves, and another index is kept current from it' : 'is kept current';
  return `${name} ${how} by the task ${taskId}, which cancel ends`;
}

const holder = (locks: readonly Lock[], matches: (lock: Lock) => boolean) => locks.find(matches) as Lock;

/** The rules that keep two reindexes apart, in the order in which they are checked. */
export const CONFLICT_RULES: readonly ConflictRule[] = [
  {
    reason: 'source-locked-as-source',
    alwaysRefused: false,
    applies: ({ source, locks }) => locks.some((lock) => lock.sourceNo === source.no),
    describe: ({ source, locks }) =>
      heldText(
        source.name,
        'rebuilt',
        holder(locks, (lock) => lock.sourceNo === source.no),
      ),
  },
  {
    reason: 'dest-locked-as-source',
    alwaysRefused: false,
    applies: ({ dest, locks }) => locks.some((lock) => lock.sourceNo === dest.no),
    describe: ({ dest, locks }) =>
      heldText(
        dest.name,
        'rebuilt',
        holder(locks, (lock) => lock.sourceNo === dest.no),
      ),
  },
  {
    reason: 'source-locked-as-dest',
    alwaysRefused: false,
    applies: ({ source, locks }) => locks.some((lock) => lock.destNo === source.no),
    describe: ({ source, locks }) =>
      heldText(
        source.name,
        'built',
        holder(locks, (lock) => lock.destNo === source.no),
      ),
  },
  {
    reason: 'dest-locked-as-dest',
    alwaysRefused: false,
    applies: ({ dest, locks }) => locks.some((lock) => lock.destNo === dest.no),
    describe: ({ dest, locks }) =>
      heldText(
        dest.name,
        'built',
        holder(locks, (lock) => lock.destNo === dest.no),
      ),
  },
  {
    reason: 'source-deleting',
    alwaysRefused: true,
    applies: ({ source }) => source.state === 'deleting',
    describe: ({ source }) => `${source.name} is being deleted`,
  },
  {
    reason: 'dest-deleting',
    alwaysRefused: true,
    applies: ({ dest }) => dest.state === 'deleting',
    describe: ({ dest }) => `${dest.name} is being deleted`,
  },
  {
    // Writes through the alias would be refused, and earlier ones would be removed as left-overs.
    reason: 'dest-serves',
    alwaysRefused: true,
    applies: ({ destAliases }) => destAliases.length > 0,
    describe: ({ dest, destAliases }) => `${dest.name} serves as ${destAliases.join(', ')}: rebuild into another index`,
  },
  {
    reason: 'too-many-reindexes',
    alwaysRefused: false,
    applies: ({ locks, maxConcurrentReindexes }) =>
      locks.filter((lock) => !lock.mirror && !lock.built).length >= maxConcurrentReindexes,
    describe: ({ maxConcurrentReindexes }) => `${maxConcurrentReindexes} reindexes are running, which is the maximum`,
  },
];

/** Finds the first rule that applies. */
export function findConflict(state: ConflictState): ConflictRule | undefined {
  return CONFLICT_RULES.find((rule) => rule.applies(state));
}
