import type { CopyCounts, CopySliceRequest } from '../contract/activities.ts';
import { type BehindObject, readBehind } from '../store/protocol/copy.ts';
import { addCounts, copyObjects, noCounts, requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { GiveWay } from './give-way.ts';
import { createPacer, type Running } from './running.ts';

/** How far a slice is: all up to the cursor is copied. */
export interface SliceProgress {
  counts: CopyCounts;
  cursor: string | null;
}

/**
 * Walks one stretch of the source's keys and copies what is behind, for some seconds. Batches are begun in the order of
 * their keys, so many at once, and counted in that order, so that the cursor passes none that is still under way. Where
 * one fails the others are stopped and waited for: nothing is written once the activity has ended.
 */
export async function copySlice(
  deps: ActivityDependencies,
  giveWay: GiveWay,
  request: CopySliceRequest,
  running: Running<SliceProgress>,
): Promise<SliceProgress & { done: boolean }> {
  const { background: db } = deps;
  const { taskId, lock, until, batchSize, inFlight: most = 1 } = request;
  const broken = new AbortController();
  const signal = AbortSignal.any([running.signal, broken.signal]);
  const target = { taskId, lock, dest: await requireIndex(db, request.destNo), signal, giveWay };
  const pace = createPacer(request.ratePerSecond, signal);
  const { counts, cursor: from } = running.resumedFrom ?? { counts: noCounts(), cursor: request.after };
  let cursor = from;
  const inFlight: Promise<SliceProgress>[] = [];

  const read = (after: string | null) => readBehind(db, request, { after, until }, batchSize);
  const copy = async (objects: BehindObject[]): Promise<SliceProgress> => ({
    counts: await copyObjects(deps, target, objects),
    cursor: objects.at(-1)?.id ?? null,
  });
  const finishOldest = async () => {
    const copied = await inFlight.shift();
    if (!copied) return;
    addCounts(counts, copied.counts);
    ({ cursor } = copied);
    running.beat({ counts, cursor });
  };

  try {
    let objects = await read(cursor);
    while (objects.length > 0 && !running.isTimeUp()) {
      const { length } = objects;
      const copying = copy(objects);
      copying.catch(() => {}); // told when it is its turn
      inFlight.push(copying);
      // The next batch is read while this one is embedded.
      objects = length < batchSize ? [] : await read(objects.at(-1)?.id ?? null);
      if (inFlight.length >= most) await finishOldest();
      await pace(length);
    }
    while (inFlight.length > 0) await finishOldest();
    return { counts, cursor, done: objects.length === 0 };
  } finally {
    broken.abort();
    await Promise.allSettled(inFlight);
  }
}
