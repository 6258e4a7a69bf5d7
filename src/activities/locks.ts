import type { ControlActivities } from '../contract/activities.ts';
import { MIN_PARTS_TO_CHOOSE } from '../contract/index-build.ts';
import type { LockPairRequest } from '../contract/reindex-activities.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import { isInTheWay, type LockRequest, lockPair, releaseLock } from '../store/protocol/lock-pair.ts';
import { markBuilt, renewLock } from '../store/protocol/locks.ts';
import { setReads } from '../store/protocol/reads.ts';
import { hasAtMost, planSlices, SLICES } from '../store/protocol/slices.ts';
import { hasParts } from '../store/vector-index.ts';
import { beginWatch, endWatch } from '../store/watch-counts.ts';
import { checkWatch } from './check-watch.ts';
import { type ActivityDependencies, namesOf } from './dependencies.ts';
import { prepareDest } from './prepare-dest.ts';

/** Factor by which another splitter may increase the number of parts. */
const MORE_BY_SPLITTER = 25;

/** Activities for the lock of a reindex, and for what is decided with it: the destination and the copy plan. */
export function createLockActivities(
  deps: ActivityDependencies,
): Pick<
  ControlActivities,
  | 'lockPair'
  | 'isInTheWay'
  | 'renewLock'
  | 'markBuilt'
  | 'setReads'
  | 'checkWatch'
  | 'endWatch'
  | 'releaseLock'
  | 'wasCutOver'
  | 'planSlices'
  | 'prepareDest'
> {
  const { background: db, settings } = deps;
  const plan = (sourceNo: number, range: { after: string | null; lanes: number; share?: number | undefined }) =>
    planSlices(db, sourceNo, { ...SLICES, maxObjects: settings.sliceObjects, ...range });
  const lockRequestOf = ({ taskId, lock, input, sourceNo }: LockPairRequest): LockRequest => ({
    taskId,
    lock,
    sourceNo,
    lockSeconds: input.lockSeconds ?? 900,
    source: input.source,
    dest: input.dest,
    destModel: input.destModel,
    destSplitter: input.destSplitter,
    destAverage: input.destAverage,
    destFullText: input.destFullText,
    destMetric: input.destMetric,
    destStorage: input.destStorage,
    destVectorIndex: input.destVectorIndex,
    reuse: input.reuse,
    alias: input.alias,
    maxConcurrentReindexes: settings.maxConcurrentReindexes,
  });
  return {
    isInTheWay: (request) => isInTheWay(db, lockRequestOf(request)),
    async lockPair({ lanes, ...request }) {
      const { lock } = request;
      const { dest } = request.input;
      const outcome = await namesOf(deps).under('index', dest, (claim) =>
        lockPair(db, { ...lockRequestOf(request), claim }),
      );
      if (outcome.kind !== 'locked') return outcome;
      if (request.input.watch) await beginWatch(db, lock, null);
      const { sourceNo } = outcome;
      const { indexBuild, destSplitter } = request.input;
      const { minPartsToChoose: atLeast = MIN_PARTS_TO_CHOOSE } = settings;
      const minParts = destSplitter ? Math.ceil(atLeast / MORE_BY_SPLITTER) : atLeast;
      const size = indexBuild === 'auto' ? { isLarge: await isLarge(db, sourceNo, minParts) } : {};
      const isPlanned = lanes !== undefined && (await hasAtMost(db, sourceNo, settings.sliceObjects));
      return { ...outcome, lock, plan: isPlanned ? await plan(sourceNo, { after: null, lanes }) : null, ...size };
    },
    async renewLock(lock, lockSeconds) {
      return (await renewLock(db, lock, lockSeconds)).toISOString();
    },
    markBuilt: (lock) => markBuilt(db, lock),
    setReads: (request) => setReads(db, request),
    checkWatch: (request) => checkWatch(db, request),
    endWatch: (lock) => endWatch(db, lock),
    releaseLock: (lock) => releaseLock(db, lock),
    wasCutOver: async (destNo, lock) => (await findIndexByNo(db, destNo))?.builtByLock === lock,
    prepareDest: (request) => prepareDest(db, request),
    planSlices: ({ sourceNo, ...range }) => plan(sourceNo, range),
  };
}

/** Returns true if the destination may have at least `minParts` parts: then it matters when its HNSW index is built. */
async function isLarge(db: Db, sourceNo: number, minParts: number): Promise<boolean> {
  const source = await findIndexByNo(db, sourceNo);
  return source !== undefined && hasParts(db, source, minParts);
}
