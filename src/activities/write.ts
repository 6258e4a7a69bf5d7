import type { WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import { requireAccepted } from '../store/admission.ts';
import type { IndexRow } from '../store/schema.ts';
import { hasParts, isVectorIndexReady } from '../store/vector-index.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { forwardAtOnce } from './forward.ts';
import { isLocal, runWithHeartbeat } from './running.ts';
import { WriteBatch } from './write-batch.ts';

/** The activity `writeChunk`: loads, embeds and writes a task's items until its time is up or it is held back. */
export function createWriteChunk(deps: ActivityDependencies) {
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
      if (request.isWhole) return result; // too few to look whether the index has grown enough
      const index = await requireAccepted(deps.db, request.index, request.indexNo);
      if (await isVectorIndexDue(deps, index)) result.vectorIndexDue = index.no;
      return result;
    });
}

async function isVectorIndexDue({ db, settings }: ActivityDependencies, index: IndexRow): Promise<boolean> {
  if (await isVectorIndexReady(db, index)) return false;
  return hasParts(db, index, settings.vectorIndexAfterParts);
}
