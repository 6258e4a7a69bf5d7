import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  type ChildWorkflowHandle,
  condition,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import type { Usage } from '../../contract/budget.ts';
import { PRIORITY } from '../../contract/names.ts';
import type { CopyCounts } from '../../contract/reindex-activities.ts';
import type { LockedPair, SlicePlan } from '../../contract/reindex-state.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { longControl } from '../activities.ts';
import { runInParallel } from '../in-parallel.ts';
import { isSliceProgress, reportedUsage } from '../task/reported.ts';
import { pauseSignal, sliceProgressSignal, throttleSignal } from '../task/signals.ts';
import { CopyProgress, countsIn } from './copy-progress.ts';
import type { ReindexRun } from './run.ts';
import { reindexSlice, sliceCounts, waitedMsOf } from './slice.ts';
import { beginStretch, shareToCopy } from './stretch.ts';
import { showUsage } from './usage.ts';

/** Time that running slices have to end once the history is long; none during a pause, when they cannot end. */
const STOP_AFTER_MS = 300_000;

/**
 * Step 3: copies everything that the destination lacks. If it paused because of failed batches, what failed until then
 * is copied again at the end: the model may have been to blame. `atPoint` is called where the copy stops for the HNSW index,
 * and at the beginning.
 */
export async function copyAll(run: ReindexRun, atPoint = async () => {}): Promise<void> {
  const { task, state } = run;
  for (;;) {
    for (;;) {
      await atPoint();
      if (await copy(run)) break;
      task.continueIfLong();
    }
    if (state.copyAgain !== 'later') break;
    beginAgain(run);
  }
  delete state.copyAgain;
}

/** Copies again what failed before a pause, after everything was copied. */
export async function copyFailedAgain(run: ReindexRun): Promise<void> {
  beginAgain(run);
  await copyAll(run);
  run.state.copied = true;
}

function beginAgain({ task, settings, state }: ReindexRun): void {
  Object.assign(state, { copyAgain: 'now', copied: false, copiedTo: null });
  task.setDetail(`copying again to ${settings.dest} what failed before the pause`);
  task.report({ failed: 0, data: { phase: 'copy', failed: 0 } });
}

/**
 * Copies the source in slices of its keys, a few at a time; a small source was planned when the lock was taken. Each
 * slice is a child workflow that walks its key range. A failed slice fails the attempt; the next attempt copies only
 * what is still behind. Returns false when the history is too long to continue: call it again in a new run, which
 * copies the rest of the stopped slices. Also false at a point where the HNSW index is chosen or built.
 */
async function copy(run: ReindexRun): Promise<boolean> {
  const { task, settings, state, slices } = run;
  const isResumed = state.copiedTo !== null || state.isCopyBegun === true;
  const plan = await planCopy(run, isResumed);
  state.isCopyBegun = true;
  const progress = new CopyProgress(task, plan, { isResumed });
  slices.slicesAtOnce = Math.min(settings.concurrency, plan.slices.length);
  const stretch = beginStretch(run);
  const isComplete = await new SliceWindow(run, plan, progress).copy();
  const isPart = plan.objects !== undefined;
  stretch.end({ isReached: isComplete && isPart });
  if (isComplete && !isPart) task.report({ done: plan.total });
  return isComplete && !isPart;
}

async function planCopy({ task, settings, state }: ReindexRun, isResumed: boolean): Promise<SlicePlan> {
  const { sourceNo, plan } = state.locked as LockedPair;
  const share = shareToCopy(state, isResumed ? task.tracker.progress : { done: 0, total: 0 });
  if (state.copiedTo === null && plan && share === undefined) return plan;
  return longControl.planSlices({ sourceNo, after: state.copiedTo, lanes: settings.concurrency, share });
}

/** The slices of a reindex, of which a few run at a time. */
class SliceWindow {
  private readonly run: ReindexRun;
  private readonly plan: SlicePlan;
  private readonly progress: CopyProgress;
  private next = 0;
  private isStopping = false;
  /** Ids of the slices that were started: others belong to an earlier run, or to nobody. */
  private readonly ids = new Set<string>();
  private readonly finished = new Set<number>();
  private readonly copying = new CancellationScope();

  constructor(run: ReindexRun, plan: SlicePlan, progress: CopyProgress) {
    this.run = run;
    this.plan = plan;
    this.progress = progress;
    setHandler(sliceProgressSignal, (sliceId, done, waitedMs, usage, waits) => {
      if (!isSliceProgress(sliceId, done, waitedMs) || !this.ids.has(sliceId)) return;
      showUsage(run.task.tracker, reportedUsage(usage));
      progress.set(sliceId, done);
      progress.setWaited(sliceId, waitedMs, waits);
      progress.report();
    });
  }

  /** Copies all slices. Returns false if some were stopped, or not started, because the history is long. */
  async copy(): Promise<boolean> {
    const { state, slices: steering } = this.run;
    const { slices } = this.plan;
    const watching = new CancellationScope();
    const watch = watching.run(() => this.stopInTime()).catch(() => {});
    try {
      await this.copying.run(() => runInParallel(steering.slicesAtOnce, () => this.copyInTurn()));
    } catch (error) {
      // A cancellation comes from a lane that was about to start a slice.
      if (!this.isStopping || !isCancellation(error)) throw error;
    } finally {
      this.progress.end();
      watching.cancel();
      await CancellationScope.nonCancellable(() => watch);
      for (let at = 0; this.finished.has(at); at++) state.copiedTo = slices[at]?.until ?? state.copiedTo;
    }
    return this.finished.size === slices.length;
  }

  /** Stops the running slices some time after the history has become long. */
  private async stopInTime(): Promise<void> {
    const { task, slices: steering } = this.run;
    await condition(() => task.isLong());
    if (!steering.paused) await condition(() => steering.paused, STOP_AFTER_MS, { summary: 'lets slices end' });
    this.isStopping = true;
    this.copying.cancel();
  }

  /** Copies one slice after the other, until none is left or the history is long. */
  private async copyInTurn(): Promise<void> {
    const { task } = this.run;
    const { slices } = this.plan;
    for (let at = this.next; at < slices.length && !task.isLong(); at = this.next) {
      this.next++;
      await task.checkpoint();
      if (!(await this.copySlice(at))) return;
    }
  }

  /** Copies one slice. Returns false if it was stopped. */
  private async copySlice(at: number): Promise<boolean> {
    const { progress } = this;
    const { task } = this.run;
    const child = await this.startSlice(at);
    const { running } = this.run.slices;
    try {
      const tracker = await child.result();
      requireComplete(tracker);
      progress.add(sliceCounts(tracker));
      showUsage(task.tracker, tracker.data.usage as Usage | undefined);
      progress.setWaited(child.workflowId, waitedMsOf(tracker));
      this.finished.add(at);
      progress.move('processing', 'done');
    } catch (error) {
      if (this.isStopping && isCancellation(error)) {
        progress.add(countsOfStopped(error));
        progress.move('processing', 'pending');
        return false;
      }
      progress.move('processing', isCancellation(error) ? 'canceled' : 'failed');
      throw error;
    } finally {
      running.delete(child);
    }
    progress.set(child.workflowId, this.plan.size);
    progress.report();
    return true;
  }

  private async startSlice(at: number): Promise<ChildWorkflowHandle<typeof reindexSlice>> {
    const { task, settings, state, slices: steering } = this.run;
    const { slices, size, inFlight } = this.plan;
    const { lock, sourceNo, destNo } = state.locked as LockedPair;
    const range = slices[at] as SlicePlan['slices'][number];
    // Small enough that each slice has as many batches as it can copy concurrently.
    const batchSize = inFlight ? Math.min(settings.batchSize, Math.ceil(size / inFlight)) : settings.batchSize;
    const ratePerSecond = steering.rateOfOne();
    const again = state.copyAgain === 'now' || undefined;
    const workflowId = `${task.id}/${task.tracker.attempts}/${this.progress.slicesBefore + at + 1}`;
    this.ids.add(workflowId);
    const child = await startChild(reindexSlice, {
      workflowId,
      typedSearchAttributes: searchAttributes({ type: 'reindex-slice', status: 'processing', parentId: task.id }),
      staticSummary: `slice ${at + 1} of ${slices.length} of ${task.id}`,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      priority: { priorityKey: PRIORITY.copy },
      args: [{ parentId: task.id, ...range, lock, sourceNo, destNo, batchSize, inFlight, ratePerSecond, again }],
    });
    steering.running.add(child);
    // It has missed signals that came while it was being started.
    if (steering.paused) await child.signal(pauseSignal).catch(() => {});
    if (steering.rateOfOne() !== ratePerSecond) {
      await child.signal(throttleSignal, steering.rateOfOne()).catch(() => {});
    }
    this.progress.move('pending', 'processing');
    return child;
  }
}

/** A slice that someone set aside ends without an error, but not at the end of its range. */
function requireComplete({ id, status, detail }: Tracker): void {
  if (status === 'done') return;
  throw ApplicationFailure.retryable(`the slice ${id} was ended as ${status}: ${detail}`, 'SliceEnded');
}

/** Returns what a stopped slice has copied. */
function countsOfStopped(error: unknown): CopyCounts {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
  const [tracker] = cause instanceof CancelledFailure ? (cause.details ?? []) : [];
  return countsIn(tracker as Tracker | undefined);
}
