import type { CopyCounts, EmbedActivities, ReconcileRequest } from '../contract/activities.ts';
import { markChanges, readChanged } from '../store/protocol/copy.ts';
import { renewLock } from '../store/protocol/locks.ts';
import { addCounts, copyObjects, noCounts, requireIndex } from './copy-objects.ts';
import { copySlice, type SliceProgress } from './copy-slice.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { forwardRange } from './forward.ts';
import { createGiveWay } from './give-way.ts';
import { createPacer, type Running, runWithHeartbeat } from './running.ts';

const MIRROR_BATCH = 256;

/** The activities that bring a destination up to its source: slices, forwards, reconciling. */
export function createCopyActivities(
  deps: ActivityDependencies,
): Pick<EmbedActivities, 'copySlice' | 'forwardChunk' | 'reconcile' | 'reconcileMirror'> {
  const { background: db } = deps;
  const giveWay = createGiveWay(deps);
  return {
    copySlice: (request) =>
      runWithHeartbeat((running: Running<SliceProgress>) => copySlice(deps, giveWay, request, running)),

    forwardChunk: (range) => runWithHeartbeat((running) => forwardRange(deps, range, running.signal)),

    reconcile: (request) => runWithHeartbeat((running) => reconcileUntil(deps, request, running, running.isTimeUp)),

    reconcileMirror: (mirror) =>
      runWithHeartbeat(async (running) => {
        await renewLock(db, mirror.lock, mirror.lockSeconds);
        const request = { ...mirror, taskId: null, batchSize: MIRROR_BATCH, ratePerSecond: null };
        const { mark } = await reconcileUntil(deps, request, running, running.isTimeUp);
        return { mark };
      }),
  };
}

/**
 * Brings what changed in the source since the mark, in the order of the changes, so that the last change seen is the
 * new mark. Stops early when `stop` says so, which is told the mark after each batch.
 */
export async function reconcileUntil(
  deps: ActivityDependencies,
  request: Omit<ReconcileRequest, 'taskId'> & { taskId: string | null },
  running: Pick<Running<unknown>, 'signal'>,
  stop: (mark: number) => boolean,
): Promise<{ counts: CopyCounts; mark: number; more: boolean }> {
  const { background: db } = deps;
  const { taskId, lock, sourceNo, batchSize } = request;
  const dest = await requireIndex(db, request.destNo);
  const pace = createPacer(request.ratePerSecond, running.signal);
  const until = await markChanges(db, request.sourceNo);
  const counts = noCounts();
  let { mark } = request;
  for (;;) {
    const objects = await readChanged(db, request, { after: mark, until }, batchSize);
    if (objects.length > 0) {
      addCounts(counts, await copyObjects(deps, { taskId, lock, sourceNo, dest, signal: running.signal }, objects));
    }
    if (objects.length < batchSize) return { counts, mark: until, more: false };
    mark = objects.at(-1)?.change ?? mark;
    if (stop(mark)) return { counts, mark, more: true };
    await pace(objects.length);
  }
}
