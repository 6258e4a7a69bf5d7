import { ApplicationFailure, continueAsNew, getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import type { CopyCounts } from '../contract/activities.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { ReindexSliceInput } from '../contract/workflow-inputs.ts';
import { embedActivities } from './activities.ts';
import { sliceProgressSignal } from './signals.ts';
import { runTask } from './tracker.ts';

/** Copies one stretch of the source's keys; returns its tracker, with the counts in `data`. */
export async function reindexSlice(input: ReindexSliceInput): Promise<Tracker> {
  let { after, ratePerSecond } = input;
  const spec = {
    type: 'reindex-slice',
    indexes: [],
    parentId: input.parentId,
    maxAttempts: 1,
    previous: input.previous,
    quiet: true,
    onThrottle(rate: number | null) {
      ratePerSecond = rate;
    },
  } as const;
  return runTask(spec, async (task) => {
    const counts: CopyCounts = { copied: 0, tombstones: 0, failed: 0, ...(input.previous?.data as object | undefined) };
    let told = Promise.resolve();
    for (let done = false; !done; ) {
      await task.checkpoint();
      const chunk = await embedActivities().copySlice({
        taskId: input.parentId,
        lock: input.lock,
        sourceNo: input.sourceNo,
        destNo: input.destNo,
        after,
        until: input.until,
        batchSize: input.batchSize,
        inFlight: input.inFlight,
        ratePerSecond,
      });
      ({ done } = chunk);
      after = chunk.cursor;
      counts.copied += chunk.counts.copied;
      counts.tombstones += chunk.counts.tombstones;
      counts.failed += chunk.counts.failed;
      task.report({ done: counts.copied + counts.failed, failed: counts.failed, data: { ...counts } });
      if (done) break;
      // Not waited for: the next stretch is copied meanwhile. Where it does not arrive, the reindex has ended.
      await told;
      told = getExternalWorkflowHandle(input.parentId)
        .signal(sliceProgressSignal, workflowInfo().workflowId, counts.copied + counts.failed, chunk.waitedMs)
        .catch(() => {});
      if (workflowInfo().continueAsNewSuggested) {
        await told;
        await task.continueAs((previous) =>
          continueAsNew<typeof reindexSlice>({ ...input, after, ratePerSecond, previous }),
        );
      }
    }
    await told;
  });
}

/** The counts with which a slice ended. */
export function sliceCounts(tracker: Tracker): CopyCounts {
  const { copied, tombstones, failed } = tracker.data;
  if (typeof copied !== 'number' || typeof tombstones !== 'number' || typeof failed !== 'number') {
    throw ApplicationFailure.nonRetryable('a slice ended without its counts', 'Internal');
  }
  return { copied, tombstones, failed };
}
