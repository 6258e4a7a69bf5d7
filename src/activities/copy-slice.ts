import type { CopyCounts, CopySliceRequest } from '../contract/activities.ts';
import { MOST_FAILED_BATCHES } from '../contract/waits.ts';
import { type BehindObject, readBehind } from '../store/protocol/copy.ts';
import { addCounts, copyObjects, noCounts, requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { GiveWay, OnWait } from './give-way.ts';
import { createPacer, type Running } from './running.ts';

/** How far a slice is: all up to the cursor is copied, and counted is what has been. */
export interface SliceProgress {
  counts: CopyCounts;
  cursor: string | null;
}

interface Batch {
  last: string | null;
  isDone: boolean;
  copying: Promise<void>;
}

/** The time in which at least one batch waited: several that wait at once count once. */
function createWaitClock(): { add: OnWait; ms: () => number } {
  let countedToMs = Number.NEGATIVE_INFINITY;
  let ms = 0;
  return {
    add(fromMs, toMs) {
      // Each is told of when it ends, so what has been counted lies before.
      ms += Math.max(0, toMs - Math.max(fromMs, countedToMs));
      countedToMs = Math.max(countedToMs, toMs);
    },
    ms: () => Math.round(ms),
  };
}

/** So many times the batches that are copied at once may be begun, when one of them takes long. */
const AHEAD = 4;

/**
 * Walks one stretch of the source's keys and copies what is behind, for some seconds. Batches are begun in the order of
 * their keys, so many at once; the cursor passes none that is still under way. Where one fails, those that were begun
 * are finished and counted: their vectors may have been paid for, and nothing is written once the activity has ended.
 */
export async function copySlice(
  deps: ActivityDependencies,
  giveWay: GiveWay,
  request: CopySliceRequest,
  running: Running<SliceProgress>,
): Promise<SliceProgress & { done: boolean; failedBatches: number; waitedMs: number }> {
  const { background: db } = deps;
  const { signal } = running;
  const { taskId, lock, until, batchSize, inFlight = 1 } = request;
  const waits = createWaitClock();
  const target = {
    taskId,
    lock,
    sourceNo: request.sourceNo,
    dest: await requireIndex(db, request.destNo),
    signal,
    giveWay: ((stop, write) => giveWay(stop, write, waits.add)) as GiveWay,
  };
  const pace = createPacer(request.ratePerSecond, signal);
  const { counts, cursor: from } = running.resumedFrom ?? { counts: noCounts(), cursor: request.after };
  let cursor = from;
  const begun: Batch[] = [];
  let { failedBatches = 0 } = request;

  const read = (after: string | null) => readBehind(db, request, { after, until }, batchSize);
  const copy = async (batch: Batch, objects: BehindObject[]) => {
    const copied = await copyObjects(deps, target, objects);
    addCounts(counts, copied);
    if (copied.failed === objects.length) failedBatches++;
    else if (copied.copied > 0) failedBatches = 0;
    batch.isDone = true;
    while (begun[0]?.isDone) cursor = begun.shift()?.last ?? cursor;
    running.beat({ counts, cursor });
  };
  const begin = (objects: BehindObject[]) => {
    const batch: Batch = { last: objects.at(-1)?.id ?? null, isDone: false, copying: Promise.resolve() };
    begun.push(batch);
    batch.copying = copy(batch, objects);
    batch.copying.catch(() => {}); // told where it is waited for
  };
  const underWay = () => begun.filter(({ isDone }) => !isDone).map(({ copying }) => copying);
  const room = async () => {
    while (underWay().length >= inFlight || begun.length >= inFlight * AHEAD) await Promise.race(underWay());
  };

  try {
    let objects = await read(cursor);
    // One batch at least, however long its read took: the next activity would begin where this one did.
    const mayGoOn = (batches: number) => !running.isTimeUp() || batches === 0;
    for (let batches = 0; objects.length > 0 && mayGoOn(batches) && failedBatches < MOST_FAILED_BATCHES; batches++) {
      const { length } = objects;
      begin(objects);
      // The next batch is read while this one is embedded.
      const ahead = length < batchSize ? Promise.resolve([]) : read(objects.at(-1)?.id ?? null);
      ahead.catch(() => {});
      await pace(length);
      objects = await ahead;
      await room();
    }
    await Promise.all(underWay());
    return { counts, cursor, done: objects.length === 0, failedBatches, waitedMs: waits.ms() };
  } catch (error) {
    await Promise.allSettled(underWay());
    // What was copied is counted before the error is: the next activity begins where this one ends, and meets it first.
    if (signal.aborted || cursor === request.after) throw error;
    return { counts, cursor, done: false, failedBatches, waitedMs: waits.ms() };
  } finally {
    await Promise.allSettled(underWay());
  }
}
