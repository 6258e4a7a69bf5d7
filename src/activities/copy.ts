import type { CopyCounts, EmbedActivities, ReconcileRequest } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import { markChanges, readBehind, readByIds, readChanged } from '../store/protocol/copy.ts';
import { renewLock, requireLock } from '../store/protocol/locks.ts';
import type { IndexRow } from '../store/schema.ts';
import { readStaged } from '../store/staging.ts';
import { copyObjects } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createPacer, type Running, runWithHeartbeat } from './running.ts';

const MIRROR_BATCH = 256;
const FORWARD_BATCH = 256;

export const noCounts = (): CopyCounts => ({ copied: 0, tombstones: 0, failed: 0 });

export function addCounts(sum: CopyCounts, counts: CopyCounts): void {
  sum.copied += counts.copied;
  sum.tombstones += counts.tombstones;
  sum.failed += counts.failed;
}

export async function requireIndex(db: Db, indexNo: number): Promise<IndexRow> {
  const index = await findIndexByNo(db, indexNo);
  if (!index) throw new ReembedError('IndexNotFound', 'the index was deleted');
  return index;
}

/** The activities that bring a destination up to its source: slices, forwards, reconciling. */
export function createCopyActivities(
  deps: ActivityDependencies,
): Pick<EmbedActivities, 'copySlice' | 'forwardChunk' | 'reconcile' | 'reconcileMirror'> {
  const { db } = deps;
  return {
    copySlice: (request) =>
      runWithHeartbeat<
        { counts: CopyCounts; cursor: string | null },
        Awaited<ReturnType<EmbedActivities['copySlice']>>
      >(async (running) => {
        const dest = await requireIndex(db, request.destNo);
        const target = { taskId: request.taskId, lock: request.lock, dest, signal: running.signal };
        const pace = createPacer(request.ratePerSecond, running.signal);
        const { counts, cursor: from } = running.resumedFrom ?? { counts: noCounts(), cursor: request.after };
        let cursor = from;
        const read = (after: string | null) =>
          readBehind(db, request, { after, until: request.until }, request.batchSize);
        let objects = await read(cursor);
        while (objects.length > 0 && !running.isTimeUp()) {
          const last = objects.at(-1)?.id ?? cursor;
          // The next batch is read while this one is embedded.
          const ahead = objects.length < request.batchSize ? Promise.resolve([]) : read(last);
          ahead.catch(() => {});
          addCounts(counts, await copyObjects(deps, target, objects));
          cursor = last;
          running.beat({ counts, cursor });
          await pace(objects.length);
          objects = await ahead;
        }
        return { counts, cursor, done: objects.length === 0 };
      }),

    forwardChunk: (range) =>
      runWithHeartbeat(async (running) => {
        const { staging, sourceNo, destNo, lock } = range;
        let forwarded = 0;
        try {
          await requireLock(db, lock);
          const dest = await requireIndex(db, destNo);
          for (let seq = range.fromSeq; seq < range.toSeq; ) {
            const rows = await readStaged<{ id: string }>(db, staging, {
              fromSeq: seq,
              toSeq: range.toSeq,
              limit: FORWARD_BATCH,
            });
            const ids = rows.map((row) => row.item.id);
            const objects = await readByIds(db, { sourceNo, destNo }, ids);
            const counts = await copyObjects(deps, { taskId: null, lock, dest, signal: running.signal }, objects);
            forwarded += counts.copied + counts.tombstones;
            seq = (rows.at(-1)?.seq ?? range.toSeq) + 1;
          }
        } catch (error) {
          // The reindex has ended meanwhile: what was to be forwarded is there, or not wanted any more.
          if (!(error instanceof ReembedError && ['LockLost', 'IndexNotFound'].includes(error.type))) throw error;
        }
        return { forwarded };
      }),

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
  const { db } = deps;
  const { taskId, lock, batchSize } = request;
  const dest = await requireIndex(db, request.destNo);
  const pace = createPacer(request.ratePerSecond, running.signal);
  const until = await markChanges(db, request.sourceNo);
  const counts = noCounts();
  let { mark } = request;
  for (;;) {
    const objects = await readChanged(db, request, { after: mark, until }, batchSize);
    if (objects.length > 0) {
      addCounts(counts, await copyObjects(deps, { taskId, lock, dest, signal: running.signal }, objects));
    }
    if (objects.length < batchSize) return { counts, mark: until, more: false };
    mark = objects.at(-1)?.change ?? mark;
    if (stop(mark)) return { counts, mark, more: true };
    await pace(objects.length);
  }
}
