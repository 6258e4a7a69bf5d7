import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  getExternalWorkflowHandle,
  workflowInfo,
} from '@temporalio/workflow';
import type { Usage } from '../../contract/budget.ts';
import type { HandOver } from '../../contract/hand-over.ts';
import type { CopyCounts } from '../../contract/reindex-activities.ts';
import type { StepWaits } from '../../contract/task-pace.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { MAX_FAILED_BATCHES } from '../../contract/waits.ts';
import type { ReindexSliceInput } from '../../contract/workflow-inputs.ts';
import { embedActivities } from '../activities.ts';
import { BATCHES_FAILED, hold, orHold } from '../task/hold.ts';
import { handOver, receive } from '../task/receive.ts';
import { runTask } from '../task/run-task.ts';
import { sliceProgressSignal } from '../task/signals.ts';
import { withStepWaits } from '../task/step-waits.ts';
import type { TaskContext } from '../task/types.ts';
import { showUsage } from './usage.ts';

/** How far a slice is, and its rate: what its next run continues with. */
type SliceState = NonNullable<HandOver['slice']>;

/** Copies one range of the source's keys. Returns its tracker with the counts in `data`. */
export async function reindexSlice(first: ReindexSliceInput, second?: HandOver): Promise<Tracker> {
  const { body: input, given, refusal } = receive('reindex-slice', first, second);
  const { previous } = given;
  const { after, ratePerSecond } = given.slice ?? input;
  const state: SliceState = { after, ratePerSecond };
  const spec = {
    type: 'reindex-slice',
    indexes: [],
    parentId: refusal ? null : input.parentId,
    maxAttempts: 1,
    previous,
    refusal,
    quiet: true,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<typeof reindexSlice>(input, handOver({ previous: carried, slice: state })),
    onThrottle(rate: number | null) {
      state.ratePerSecond = rate;
    },
  } as const;
  return runTask(spec, (task) => new SliceCopy(task, input, state, previous?.data).run());
}

class SliceCopy {
  private readonly task: TaskContext;
  private readonly input: ReindexSliceInput;
  private readonly state: SliceState;
  private readonly counts: CopyCounts;
  private waitedMs: number;
  private failedBatches = 0;
  private waits: StepWaits | undefined;
  private usage: Usage | undefined;
  private reported = Promise.resolve();

  constructor(task: TaskContext, input: ReindexSliceInput, state: SliceState, before: Tracker['data'] | undefined) {
    this.task = task;
    this.input = input;
    this.state = state;
    this.counts = { copied: 0, tombstones: 0, failed: 0, reused: 0, ...(before as object | undefined) };
    this.waitedMs = waitedMsOf(before && { data: before });
  }

  async run(): Promise<void> {
    const { task } = this;
    try {
      for (;;) {
        await task.checkpoint();
        const { done } = await this.copyNext();
        if (done) return;
        // Not awaited: the next chunk is copied in the meantime.
        await this.reported;
        this.reported = this.reportToReindex();
        task.continueIfLong();
      }
    } finally {
      await CancellationScope.nonCancellable(() => this.reported);
    }
  }

  private async copyNext(): Promise<{ done: boolean }> {
    const { task, input, state, counts } = this;
    const { parentId: taskId, lock, sourceNo, destNo, until, batchSize, inFlight, again } = input;
    const range = { taskId, lock, sourceNo, destNo, until, batchSize, inFlight, again };
    // After a pause, the rate may be another one.
    const chunk = await orHold(task, () =>
      withStepWaits(() => embedActivities().copySlice({ ...range, ...state, failedBatches: this.failedBatches })),
    );
    this.failedBatches = chunk.failedBatches ?? 0;
    state.after = chunk.cursor;
    counts.copied += chunk.counts.copied;
    counts.tombstones += chunk.counts.tombstones;
    counts.failed += chunk.counts.failed;
    counts.reused = (counts.reused ?? 0) + (chunk.counts.reused ?? 0);
    this.waitedMs += chunk.waitedMs;
    this.waits = chunk.waits;
    task.noteWaits(chunk.waits);
    const { waitedMs } = this;
    if (chunk.usage) this.usage = chunk.usage;
    showUsage(task.tracker, chunk.usage);
    task.report({ done: counts.copied + counts.failed, failed: counts.failed, data: { ...counts, waitedMs } });
    if (this.failedBatches >= MAX_FAILED_BATCHES) {
      this.failedBatches = 0;
      await hold(task, BATCHES_FAILED);
    }
    return chunk;
  }

  /** If the report does not arrive, the reindex has ended. */
  private async reportToReindex(): Promise<void> {
    const { counts, waitedMs, usage, waits } = this;
    await getExternalWorkflowHandle(this.input.parentId)
      .signal(sliceProgressSignal, workflowInfo().workflowId, counts.copied + counts.failed, waitedMs, usage, waits)
      .catch(() => {});
  }
}

/** Returns how long a slice has yielded to live traffic so far, in milliseconds. */
export function waitedMsOf(tracker: Pick<Tracker, 'data'> | null | undefined): number {
  const waitedMs = tracker?.data.waitedMs;
  return typeof waitedMs === 'number' ? waitedMs : 0;
}

/** Returns the final counts of a slice. */
export function sliceCounts(tracker: Tracker): CopyCounts {
  const { copied, tombstones, failed, reused } = tracker.data;
  if (typeof copied !== 'number' || typeof tombstones !== 'number' || typeof failed !== 'number') {
    throw ApplicationFailure.nonRetryable('a slice ended without its counts', 'Internal');
  }
  return { copied, tombstones, failed, reused: typeof reused === 'number' ? reused : 0 };
}
