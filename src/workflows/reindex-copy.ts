import {
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
import type { CopyCounts } from '../contract/activities.ts';
import { PRIORITY } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { LockedPair, ReindexState } from '../contract/workflow-inputs.ts';
import { longControl } from './activities.ts';
import { runLanes } from './lanes.ts';
import { reindexSlice, sliceCounts, waitedMsOf } from './reindex-slice.ts';
import { pauseSignal, resumeSignal, sliceProgressSignal, throttleSignal } from './signals.ts';
import type { Task } from './task.ts';
import { childAttributes } from './tracker-views.ts';

/** Where the history has grown long, slices that run may go on this long; in a pause they cannot end. */
const STOP_AFTER_MS = 300_000;

/** How a reindex steers its slices while they run. */
export interface SliceSteering {
  /** Most objects copied in a second by all slices together. */
  ratePerSecond: number | null;
  paused: boolean;
  slicesAtOnce: number;
  readonly running: Set<ChildWorkflowHandle<typeof reindexSlice>>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  throttle(ratePerSecond: number | null): Promise<void>;
}

export interface CopyPlan {
  locked: LockedPair;
  state: ReindexState;
  /** Batches copied at once, of all slices together. */
  concurrency: number;
  batchSize: number;
}

/** Steering for slices that are not begun yet: they take the rate over when they are. */
export function createSliceSteering(ratePerSecond: number | null): SliceSteering {
  const running: SliceSteering['running'] = new Set();
  // A slice that has just ended cannot be signaled any more: that is no failure.
  const all = async (send: (slice: ChildWorkflowHandle<typeof reindexSlice>) => Promise<void>) => {
    await Promise.allSettled([...running].map(send));
  };
  return {
    running,
    slicesAtOnce: 1,
    ratePerSecond,
    paused: false,
    async pause() {
      this.paused = true;
      await all((slice) => slice.signal(pauseSignal));
    },
    async resume() {
      this.paused = false;
      await all((slice) => slice.signal(resumeSignal));
    },
    async throttle(rate) {
      this.ratePerSecond = rate;
      await all((slice) => slice.signal(throttleSignal, rate === null ? null : rate / this.slicesAtOnce));
    },
  };
}

/**
 * Step 3: copies the source in slices of its keys, a few at once; a small source was planned with the lock. Each slice
 * is a child workflow that walks its stretch by key. One that fails fails the attempt; the next attempt copies only what
 * is still behind. Returns false when the history has grown too long to go on: call it again in a new run, which copies
 * what is left of the slices that were stopped.
 */
export async function copySlices(task: Task, plan: CopyPlan, steering: SliceSteering): Promise<boolean> {
  const { locked, state } = plan;
  const planned = state.copiedTo === null ? locked.plan : null;
  const { slices, size, total, inFlight } =
    planned ??
    (await longControl.planSlices({ sourceNo: locked.sourceNo, after: state.copiedTo, lanes: plan.concurrency }));
  // Small enough that a slice has as many as it can copy at once.
  const batchSize = inFlight ? Math.min(plan.batchSize, Math.ceil(size / inFlight)) : plan.batchSize;
  const { attempts, children, progress } = task.tracker;
  const resumed = state.copiedTo !== null || state.isCopyBegun === true;
  state.isCopyBegun = true;
  const doneBefore = resumed ? progress.done : 0;
  const slicesBefore = resumed ? (children.done ?? 0) : 0;
  const sum = countsIn(resumed ? task.tracker : undefined);
  Object.assign(children, { pending: slices.length, processing: 0, done: slicesBefore, failed: 0 });
  task.report({ total, done: doneBefore, failed: sum.failed });
  steering.slicesAtOnce = Math.min(plan.concurrency, slices.length);

  const rateOfOne = () => (steering.ratePerSecond === null ? null : steering.ratePerSecond / steering.slicesAtOnce);
  const share = createProgress(size);
  const reportDone = () => {
    const done = doneBefore + Math.round(((total - doneBefore) * share.ofAll()) / slices.length);
    task.report({ done: Math.min(done, total), failed: sum.failed, data: { ...sum, ...waits.data() } });
  };
  const waits = createWaits(task);
  setHandler(sliceProgressSignal, (sliceId, done, waitedMs) => {
    share.set(sliceId, done);
    waits.set(sliceId, waitedMs);
    reportDone();
  });
  let next = 0;
  let isStopping = false;
  const finished = new Set<number>();
  const add = (counts: CopyCounts) => {
    sum.copied += counts.copied;
    sum.tombstones += counts.tombstones;
    sum.failed += counts.failed;
  };
  const lane = async () => {
    for (let at = next; at < slices.length && !task.isLong(); at = next) {
      next++;
      await task.checkpoint();
      const ratePerSecond = rateOfOne();
      const slice = slices[at] as (typeof slices)[number];
      const child = await startChild(reindexSlice, {
        workflowId: `${task.id}/${attempts}/${slicesBefore + at + 1}`,
        typedSearchAttributes: childAttributes('reindex-slice', task.id),
        staticSummary: `slice ${at + 1} of ${slices.length} of ${task.id}`,
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        priority: { priorityKey: PRIORITY.copy },
        args: [
          {
            parentId: task.id,
            ...slice,
            lock: locked.lock,
            sourceNo: locked.sourceNo,
            destNo: locked.destNo,
            batchSize,
            inFlight,
            ratePerSecond,
          },
        ],
      });
      steering.running.add(child);
      // What was asked for while it was being started, it has not heard of.
      if (steering.paused) await child.signal(pauseSignal).catch(() => {});
      if (rateOfOne() !== ratePerSecond) await child.signal(throttleSignal, rateOfOne()).catch(() => {});
      shift(children, 'pending', 'processing');
      try {
        const tracker = await child.result();
        add(sliceCounts(tracker));
        waits.set(child.workflowId, waitedMsOf(tracker));
        finished.add(at);
        shift(children, 'processing', 'done');
      } catch (error) {
        if (isStopping && isCancellation(error)) {
          add(countsOfStopped(error));
          shift(children, 'processing', 'pending');
          return;
        }
        shift(children, 'processing', isCancellation(error) ? 'canceled' : 'failed');
        throw error;
      } finally {
        steering.running.delete(child);
      }
      share.set(child.workflowId, size);
      reportDone();
    }
  };
  const copying = new CancellationScope();
  const stopInTime = async () => {
    await condition(() => task.isLong());
    if (!steering.paused) await condition(() => steering.paused, STOP_AFTER_MS, { summary: 'lets slices end' });
    isStopping = true;
    copying.cancel();
  };
  const watching = new CancellationScope();
  const watch = watching.run(stopInTime).catch(() => {});
  try {
    await copying.run(() => runLanes(steering.slicesAtOnce, lane));
  } catch (error) {
    // One that was about to begin a slice.
    if (!isStopping || !isCancellation(error)) throw error;
  } finally {
    waits.end();
    watching.cancel();
    await CancellationScope.nonCancellable(() => watch);
    for (let at = 0; finished.has(at); at++) state.copiedTo = slices[at]?.until ?? state.copiedTo;
  }
  if (finished.size < slices.length) return false;
  task.report({ done: total });
  return true;
}

/** A slice that waited this long since it was last heard of was slowed down: it speaks every ten seconds. */
const SLOWED_MS = 1_000;

/** How long the slices left room for live work instead of copying, by slice; the detail says when that makes them slow. */
function createWaits(task: Task) {
  const waited = new Map<string, number>();
  const { detail } = task.tracker;
  const { yieldedMs: before = 0 } = task.tracker.data as { yieldedMs?: number };
  let isOver = false;
  return {
    set(sliceId: string, waitedMs: number) {
      const isSlowed = waitedMs - (waited.get(sliceId) ?? 0) >= SLOWED_MS;
      waited.set(sliceId, waitedMs);
      if (!isOver) task.setDetail(isSlowed ? `${detail}; slowly, to leave room for searches and writes` : detail);
    },
    data: () => ({ yieldedMs: [...waited.values()].reduce((sum, ms) => sum + ms, before) }),
    /** The next step has a detail of its own. */
    end() {
      isOver = true;
    },
  };
}

/** What a slice has copied that was stopped before its end. */
function countsOfStopped(error: unknown): CopyCounts {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
  const [tracker] = cause instanceof CancelledFailure ? (cause.details ?? []) : [];
  return countsIn(tracker as Tracker | undefined);
}

/** Those that are told so far. */
function countsIn(tracker: Tracker | undefined): CopyCounts {
  const { copied = 0, tombstones = 0, failed = 0 } = (tracker?.data ?? {}) as Partial<CopyCounts>;
  return { copied, tombstones, failed };
}

/** How far the slices are that have begun, each as a share of its objects: those that were copied before are not told. */
function createProgress(size: number) {
  const shares = new Map<string, number>();
  return {
    set: (sliceId: string, done: number) => void shares.set(sliceId, Math.min(1, done / size)),
    ofAll: () => [...shares.values()].reduce((sum, share) => sum + share, 0),
  };
}

function shift(
  children: Task['tracker']['children'],
  from: 'pending' | 'processing',
  to: 'pending' | 'processing' | 'done' | 'failed' | 'canceled',
) {
  children[from] = (children[from] ?? 1) - 1;
  children[to] = (children[to] ?? 0) + 1;
}
