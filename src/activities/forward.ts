import type { EmbedActivities, ForwardRange, WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { readByIds } from '../store/protocol/copy.ts';
import { requireLock } from '../store/protocol/locks.ts';
import { finishStaged, readStaged } from '../store/staging.ts';
import { copyObjects, requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';

const FORWARD_BATCH = 256;
/** Time left within a workflow task; see `WITHIN_TASK` of the workflows. */
const LOCAL_FORWARD_MS = 500;

/** Activity that forwards what a task has written to the index that is being built. */
export function createForward(deps: ActivityDependencies): Pick<EmbedActivities, 'forwardChunk'> {
  return {
    forwardChunk: (range) => runWithHeartbeat((running) => forwardRange(deps, range, running.signal)),
  };
}

/**
 * Copies a task's objects, as they are in the source now, to the index that is being built. Objects that its model
 * rejects go to the failed list of the task that holds the lock, which can retry them.
 */
async function forwardRange(
  deps: ActivityDependencies,
  range: ForwardRange & { staging: string },
  signal: AbortSignal,
): Promise<{ forwarded: number }> {
  const { staging } = range;
  let forwarded = 0;
  for (let seq = range.fromSeq; seq < range.toSeq; ) {
    const rows = await readStaged<{ id: string }>(deps.db, staging, {
      fromSeq: seq,
      toSeq: range.toSeq,
      limit: FORWARD_BATCH,
    });
    const ids = rows.map((row) => row.item.id);
    const counts = await forwardObjects(deps, range, ids, signal);
    if (!counts) break;
    forwarded += counts.forwarded;
    seq = (rows.at(-1)?.seq ?? range.toSeq) + 1;
  }
  return { forwarded };
}

/** Does the same for objects by id. Returns null if the reindex has ended: nothing has to be forwarded any more. */
export async function forwardObjects(
  deps: ActivityDependencies,
  { sourceNo, destNo, lock }: Pick<ForwardRange, 'sourceNo' | 'destNo' | 'lock'>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<{ forwarded: number } | null> {
  const { db } = deps;
  try {
    const held = await requireLock(db, lock);
    const dest = await requireIndex(db, destNo);
    const objects = await readByIds(db, { sourceNo, destNo }, ids);
    const target = { taskId: held.taskId, lock, held, sourceNo, dest, signal };
    const { copied, tombstones } = await copyObjects(deps, target, objects);
    return { forwarded: copied + tombstones };
  } catch (error) {
    // The objects were copied already or are no longer needed.
    if (error instanceof ReembedError && ['LockLost', 'IndexNotFound'].includes(error.type)) return null;
    throw error;
  }
}

/**
 * Forwards the objects of a small write immediately if the model of the index being built is fast, which saves an
 * activity on the server. Ranges that remain in `forwards` need one.
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
