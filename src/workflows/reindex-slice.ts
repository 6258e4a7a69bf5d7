import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  getExternalWorkflowHandle,
  workflowInfo,
} from '@temporalio/workflow';
import type { CopyCounts } from '../contract/activities.ts';
import type { Tracker } from '../contract/tasks.ts';
import { MOST_FAILED_BATCHES } from '../contract/waits.ts';
import type { HandOver, ReindexSliceInput } from '../contract/workflow-inputs.ts';
import { embedActivities } from './activities.ts';
import { hold, orHold } from './holding.ts';
import { handOver, receive } from './receive.ts';
import { sliceProgressSignal } from './signals.ts';
import { runTask } from './tracker.ts';

/** Copies one stretch of the source's keys; returns its tracker, with the counts in `data`. */
export async function reindexSlice(first: ReindexSliceInput, second?: HandOver): Promise<Tracker> {
  const { body: input, given, refusal } = receive('reindex-slice', first, second);
  const { previous } = given;
  let { after, ratePerSecond } = given.slice ?? input;
  const spec = {
    type: 'reindex-slice',
    indexes: [],
    parentId: refusal ? null : input.parentId,
    maxAttempts: 1,
    previous,
    refusal,
    quiet: true,
    goOn: (carried: HandOver['previous']) =>
      continueAsNew<typeof reindexSlice>(input, handOver({ previous: carried, slice: { after, ratePerSecond } })),
    onThrottle(rate: number | null) {
      ratePerSecond = rate;
    },
  } as const;
  return runTask(spec, async (task) => {
    const counts: CopyCounts = { copied: 0, tombstones: 0, failed: 0, ...(previous?.data as object | undefined) };
    let told = Promise.resolve();
    let waitedMs = waitedMsOf(previous);
    let failedBatches = 0;
    const copy = async () => {
      for (let done = false; !done; ) {
        await task.checkpoint();
        const chunk = await orHold(task, () =>
          embedActivities().copySlice({
            taskId: input.parentId,
            lock: input.lock,
            sourceNo: input.sourceNo,
            destNo: input.destNo,
            after,
            until: input.until,
            batchSize: input.batchSize,
            inFlight: input.inFlight,
            ratePerSecond,
            failedBatches,
          }),
        );
        ({ done } = chunk);
        failedBatches = chunk.failedBatches ?? 0;
        after = chunk.cursor;
        counts.copied += chunk.counts.copied;
        counts.tombstones += chunk.counts.tombstones;
        counts.failed += chunk.counts.failed;
        waitedMs += chunk.waitedMs;
        task.report({ done: counts.copied + counts.failed, failed: counts.failed, data: { ...counts, waitedMs } });
        if (failedBatches >= MOST_FAILED_BATCHES) {
          failedBatches = 0;
          const message = `${MOST_FAILED_BATCHES} batches in a row failed whole (see the failed items)`;
          await hold(task, { type: 'TooManyFailed', message });
        }
        if (done) break;
        // Not waited for: the next stretch is copied meanwhile. Where it does not arrive, the reindex has ended.
        await told;
        told = getExternalWorkflowHandle(input.parentId)
          .signal(sliceProgressSignal, workflowInfo().workflowId, counts.copied + counts.failed, waitedMs)
          .catch(() => {});
        task.continueIfLong();
      }
    };
    try {
      await copy();
    } finally {
      await CancellationScope.nonCancellable(() => told);
    }
  });
}

/** How long a slice left room for live work so far, in milliseconds. */
export function waitedMsOf(tracker: Pick<Tracker, 'data'> | null | undefined): number {
  const waitedMs = tracker?.data.waitedMs;
  return typeof waitedMs === 'number' ? waitedMs : 0;
}

/** The counts with which a slice ended. */
export function sliceCounts(tracker: Tracker): CopyCounts {
  const { copied, tombstones, failed } = tracker.data;
  if (typeof copied !== 'number' || typeof tombstones !== 'number' || typeof failed !== 'number') {
    throw ApplicationFailure.nonRetryable('a slice ended without its counts', 'Internal');
  }
  return { copied, tombstones, failed };
}
