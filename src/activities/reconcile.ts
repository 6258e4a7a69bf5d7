import { Context } from '@temporalio/activity';
import type { EmbedActivities } from '../contract/activities.ts';
import type { CopyCounts, ReconcileRequest } from '../contract/reindex-activities.ts';
import { MAX_FAILED_BATCHES } from '../contract/waits.ts';
import { markChanges, readChanged } from '../store/protocol/copy.ts';
import type { Deadline } from '../store/protocol/draining.ts';
import { renewLock } from '../store/protocol/locks.ts';
import { addCounts, copyObjects, failedInRow, noCounts, requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createWaitMeter } from './support/chunk-waits.ts';
import { type Running, runWithHeartbeat } from './support/heartbeat.ts';
import { summarizeUsage } from './support/meter.ts';
import { createPacer } from './support/pacer.ts';
import type { OnWait } from './support/yield-to-live-traffic.ts';

const MIRROR_BATCH = 256;

/** Activities that bring what has changed in a source since a mark to the index built from it. */
export function createReconcileActivities(
  deps: ActivityDependencies,
): Pick<EmbedActivities, 'reconcile' | 'reconcileMirror'> {
  const { background: db } = deps;
  return {
    reconcile: (request) =>
      runWithHeartbeat(async (running) => {
        const meter = createWaitMeter(deps.client);
        const paced = { ...running, onRate: meter.onRate };
        const reached = await reconcileUntil(deps, request, paced, running.isTimeUp);
        const dest = await requireIndex(db, request.destNo);
        return { ...reached, usage: await summarizeUsage(deps, request.taskId, dest.model), waits: meter.read() };
      }),

    reconcileMirror: (mirror) =>
      runWithHeartbeat(async (running) => {
        await renewLock(db, mirror.lock, mirror.lockSeconds);
        // A slow model or database may take longer than the lock lasts.
        const renewal = setInterval(
          () => renewLock(db, mirror.lock, mirror.lockSeconds).catch(() => {}),
          (mirror.lockSeconds * 1_000) / 3,
        );
        try {
          const taskId = Context.current().info.workflowExecution?.workflowId ?? null;
          const request = { ...mirror, taskId, batchSize: MIRROR_BATCH, ratePerSecond: null };
          const { mark, more } = await reconcileUntil(deps, request, running, running.isTimeUp);
          return { mark, more };
        } finally {
          clearInterval(renewal);
        }
      }),
  };
}

/**
 * Copies what changed in the source since the mark, in the order of the changes, so that the last change seen is the
 * new mark. Calls `stop` with the mark after each batch, and ends early if it returns true, or after too many batches in
 * a row that failed whole. With a deadline, does not wait longer for the writers.
 */
export async function reconcileUntil(
  deps: ActivityDependencies,
  request: Omit<ReconcileRequest, 'taskId'> & { taskId: string | null },
  running: Pick<Running<unknown>, 'signal'> & { onRate?: OnWait },
  stop: (mark: number) => boolean,
  deadline?: Deadline,
): Promise<{ counts: CopyCounts; mark: number; more: boolean; failedBatches: number }> {
  const { background: db } = deps;
  const { taskId, lock, sourceNo, batchSize } = request;
  const dest = await requireIndex(db, request.destNo);
  const pace = createPacer(request.ratePerSecond, running.signal, running.onRate);
  const until = await markChanges(db, request.sourceNo, deadline);
  const counts = noCounts();
  let { mark, failedBatches = 0 } = request;
  for (;;) {
    const { objects, more } = await readChanged(db, request, { after: mark, until }, batchSize);
    if (objects.length > 0) {
      const copied = await copyObjects(deps, { taskId, lock, sourceNo, dest, signal: running.signal }, objects);
      addCounts(counts, copied);
      failedBatches = failedInRow(failedBatches, objects, copied);
    }
    if (!more) return { counts, mark: until, more: false, failedBatches };
    mark = objects.at(-1)?.change ?? mark;
    if (stop(mark) || failedBatches >= MAX_FAILED_BATCHES) return { counts, mark, more: true, failedBatches };
    await pace(objects.length);
  }
}
