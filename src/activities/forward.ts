import type { ForwardRange, WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { readByIds } from '../store/protocol/copy.ts';
import { requireLock } from '../store/protocol/locks.ts';
import { finishStaged, readStaged } from '../store/staging.ts';
import { copyObjects, requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';

const FORWARD_BATCH = 256;
/** Within a workflow task there is no more time; see `WITHIN_TASK` of the workflows. */
const LOCAL_FORWARD_MS = 500;

/** Brings what a task has written to the index that is being built, as it is in the source now. */
export async function forwardRange(
  deps: ActivityDependencies,
  range: ForwardRange & { staging: string },
  signal: AbortSignal,
): Promise<{ forwarded: number }> {
  const { db } = deps;
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
      const counts = await copyObjects(deps, { taskId: null, lock, sourceNo, dest, signal }, objects);
      forwarded += counts.copied + counts.tombstones;
      seq = (rows.at(-1)?.seq ?? range.toSeq) + 1;
    }
  } catch (error) {
    // The reindex has ended meanwhile: what was to be forwarded is there, or not wanted any more.
    if (!(error instanceof ReembedError && ['LockLost', 'IndexNotFound'].includes(error.type))) throw error;
  }
  return { forwarded };
}

/**
 * Forwards what a small write has written where the model of the index being built is quick, which saves the server an
 * activity; what is left in `forwards` one has to do.
 */
export async function forwardAtOnce(
  deps: ActivityDependencies,
  { staging, isWhole, toSeq }: WriteChunkRequest,
  result: WriteChunkResult,
  canceled: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([canceled, AbortSignal.timeout(LOCAL_FORWARD_MS)]);
  try {
    let forwarded = 0;
    for (const range of result.forwards)
      forwarded += (await forwardRange(deps, { ...range, staging }, signal)).forwarded;
    Object.assign(result, { forwards: [], forwarded });
  } catch {
    return;
  }
  if (!isWhole || result.nextSeq < toSeq || result.counts.failed > 0) return;
  await finishStaged(deps.db, staging, result.counts);
  result.isDropped = true;
}
