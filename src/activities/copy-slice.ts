import type { EmbedActivities } from '../contract/activities.ts';
import type { CopyCounts, CopySliceRequest } from '../contract/reindex-activities.ts';
import type { ChunkWaits } from '../contract/task-pace.ts';
import { MAX_FAILED_BATCHES } from '../contract/waits.ts';
import { readAnswers } from '../store/batch-texts.ts';
import { type BehindObject, readBehind } from '../store/protocol/copy.ts';
import { addCounts, copyObjects, failedInRow, noCounts, requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createWaitMeter } from './support/chunk-waits.ts';
import { type Running, runWithHeartbeat } from './support/heartbeat.ts';
import { summarizeUsage } from './support/meter.ts';
import { createPacer } from './support/pacer.ts';
import { createYielding, type Yielding } from './support/yield-to-live-traffic.ts';

/** Progress of a slice: everything up to the cursor is copied; the counts cover all that was copied. */
export interface SliceProgress {
  counts: CopyCounts;
  cursor: string | null;
}

interface Batch {
  last: string | null;
  isDone: boolean;
  copying: Promise<void>;
}

/** Activity that copies a part of a slice. */
export function createCopySlice(deps: ActivityDependencies): Pick<EmbedActivities, 'copySlice'> {
  const yielding = createYielding(deps);
  return {
    copySlice: (request) =>
      runWithHeartbeat(async (running: Running<SliceProgress>) => {
        const copied = await copySlice(deps, yielding, request, running);
        const dest = await requireIndex(deps.background, request.destNo);
        return { ...copied, usage: await summarizeUsage(deps, request.taskId, dest.model) };
      }),
  };
}

/** Returns what of a range's texts a provider's batches have answered. */
function answersOfRange(
  { background: db }: ActivityDependencies,
  { taskId, destNo }: CopySliceRequest,
  rangeNo: number,
) {
  return {
    async answers(keys: readonly string[]) {
      const { dimensions } = (await requireIndex(db, destNo)).model;
      return readAnswers(db, { taskId, rangeNo }, { keys, dimensions });
    },
  };
}

/** Started batches may exceed `inFlight` by this factor while an earlier batch is slow. */
const AHEAD = 4;

/**
 * Walks one range of the source's keys for some seconds and copies what is behind. Batches start in the order of their
 * keys, up to `inFlight` in parallel; the cursor does not pass an unfinished one. If one fails, the started ones are
 * finished and counted: their vectors may have been paid for, and nothing is written after the activity has ended.
 */
export async function copySlice(
  deps: ActivityDependencies,
  yielding: Yielding,
  request: CopySliceRequest,
  running: Running<SliceProgress>,
): Promise<SliceProgress & { done: boolean; failedBatches: number; waitedMs: number; waits: ChunkWaits }> {
  const { background: db } = deps;
  const { signal } = running;
  const { taskId, lock, until, batchSize, inFlight = 1, answersOf } = request;
  const meter = createWaitMeter(deps.client);
  const target = {
    taskId,
    lock,
    sourceNo: request.sourceNo,
    dest: await requireIndex(db, request.destNo),
    signal,
    yielding: ((stop, write) => yielding(stop, write, meter.onLive)) as Yielding,
    offline: answersOf === undefined ? undefined : answersOfRange(deps, request, answersOf),
  };
  const pace = createPacer(request.ratePerSecond, signal, meter.onRate);
  const { counts, cursor: from } = running.resumedFrom ?? { counts: noCounts(), cursor: request.after };
  let cursor = from;
  const begun: Batch[] = [];
  let { failedBatches = 0 } = request;

  const read = (after: string | null) => readBehind(db, request, { after, until }, batchSize);
  const copy = async (batch: Batch, objects: BehindObject[]) => {
    const copied = await copyObjects(deps, target, objects);
    addCounts(counts, copied);
    if (!request.again) failedBatches = failedInRow(failedBatches, objects, copied);
    batch.isDone = true;
    while (begun[0]?.isDone) cursor = begun.shift()?.last ?? cursor;
    running.beat({ counts, cursor });
  };
  const begin = (objects: BehindObject[]) => {
    const batch: Batch = { last: objects.at(-1)?.id ?? null, isDone: false, copying: Promise.resolve() };
    begun.push(batch);
    batch.copying = copy(batch, objects);
    batch.copying.catch(() => {}); // reported where it is awaited
  };
  const underWay = () => begun.filter(({ isDone }) => !isDone).map(({ copying }) => copying);
  const room = async () => {
    while (underWay().length >= inFlight || begun.length >= inFlight * AHEAD) await Promise.race(underWay());
  };
  const ended = (done: boolean) => {
    const waits = meter.read();
    return { counts, cursor, done, failedBatches, waitedMs: waits.liveMs, waits };
  };

  try {
    let { objects, more } = await read(cursor);
    // At least one batch, however long its read took: otherwise the next activity would start at the same place.
    const mayGoOn = (batches: number) => !running.isTimeUp() || batches === 0;
    for (let batches = 0; objects.length > 0 && mayGoOn(batches) && failedBatches < MAX_FAILED_BATCHES; batches++) {
      const { length } = objects;
      begin(objects);
      // Read the next batch while this one is embedded.
      const ahead = more ? read(objects.at(-1)?.id ?? null) : Promise.resolve({ objects: [], more: false });
      ahead.catch(() => {});
      await pace(length);
      ({ objects, more } = await ahead);
      await room();
    }
    await Promise.all(underWay());
    return ended(objects.length === 0);
  } catch (error) {
    await Promise.allSettled(underWay());
    // Report the progress before the error: the next activity continues here and meets the error first.
    if (signal.aborted || cursor === request.after) throw error;
    return ended(false);
  } finally {
    await Promise.allSettled(underWay());
  }
}
