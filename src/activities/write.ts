import { Context } from '@temporalio/activity';
import type { WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import { controlQueueOf } from '../contract/names.ts';
import { requireAccepted } from '../store/admission.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { forwardAtOnce } from './forward.ts';
import { createIndexWatch, isVectorIndexDue } from './index-watch.ts';
import { isLocal, runWithHeartbeat } from './support/heartbeat.ts';
import { WriteBatch } from './write-batch.ts';

/**
 * Creates the activity `writeChunk`, which loads, embeds and writes a task's items until its time is up or it is
 * blocked.
 */
export function createWriteChunk(deps: ActivityDependencies) {
  const noteWrite = createIndexWatch(deps);
  return (request: WriteChunkRequest): Promise<WriteChunkResult> =>
    runWithHeartbeat<WriteChunkResult, WriteChunkResult>(async (running) => {
      const result: WriteChunkResult = running.resumedFrom ?? {
        nextSeq: request.fromSeq,
        counts: { written: 0, unchanged: 0, stale: 0, failed: 0 },
        heldBackMs: 0,
        forwards: [],
        blocked: null,
        vectorIndexDue: null,
      };
      const batch = new WriteBatch(deps, request, running);
      while (result.nextSeq < request.toSeq && !running.isTimeUp()) {
        const blocked = await batch.write(result);
        if (blocked) return { ...result, blocked };
        running.beat(result);
      }
      if (isLocal() && result.forwards.length > 0) await forwardAtOnce(deps, request, result, running.signal);
      // Small writes do not wait for an HNSW build that has become due.
      if (request.isWhole || request.onlyFailed) {
        if (batch.index) noteWrite(batch.index, controlQueueOf(Context.current().info.taskQueue));
        return result;
      }
      const index = await requireAccepted(deps.db, request.index, request.indexNo);
      if (await isVectorIndexDue(deps.db, index, deps.settings.vectorIndexAfterParts)) result.vectorIndexDue = index.no;
      return result;
    });
}
