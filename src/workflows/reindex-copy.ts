import {
  type ChildWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { CopyCounts } from '../contract/activities.ts';
import { PRIORITY } from '../contract/names.ts';
import type { LockedPair, ReindexState } from '../contract/workflow-inputs.ts';
import { longControl } from './activities.ts';
import { runLanes } from './lanes.ts';
import { reindexSlice, sliceCounts } from './reindex-slice.ts';
import { pauseSignal, resumeSignal, sliceProgressSignal, throttleSignal } from './signals.ts';
import type { Task } from './task.ts';
import { childAttributes } from './tracker-views.ts';

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

const SLOWED_MS = 1_000;

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
 * is still behind. Returns false when the history has grown too long to begin all of them: call it again in a new run.
 */
export async function copySlices(task: Task, plan: CopyPlan, steering: SliceSteering): Promise<boolean> {
  const { locked, state } = plan;
  // A run that was begun by code without this may have been given a plan, and have asked for another.
  const planned = state.copiedTo === null && locked.plan && patched('planned-with-lock') ? locked.plan : null;
  const { slices, size, total, inFlight } =
    planned ??
    (await longControl.planSlices({ sourceNo: locked.sourceNo, after: state.copiedTo, lanes: plan.concurrency }));
  // Small enough that a slice has as many as it can copy at once.
  const batchSize = inFlight ? Math.min(plan.batchSize, Math.ceil(size / inFlight)) : plan.batchSize;
  const { attempts, children, progress } = task.tracker;
  const resumed = state.copiedTo !== null;
  const doneBefore = resumed ? progress.done : 0;
  const slicesBefore = resumed ? (children.done ?? 0) : 0;
  const sum: CopyCounts = resumed ? sliceCounts(task.tracker) : { copied: 0, tombstones: 0, failed: 0 };
  Object.assign(children, { pending: slices.length, processing: 0, done: slicesBefore, failed: 0 });
  task.report({ total, done: doneBefore, failed: sum.failed });
  steering.slicesAtOnce = Math.min(plan.concurrency, slices.length);

  const rateOfOne = () => (steering.ratePerSecond === null ? null : steering.ratePerSecond / steering.slicesAtOnce);
  const share = createProgress(size);
  const reportDone = () => {
    const done = doneBefore + Math.round(((total - doneBefore) * share.ofAll()) / slices.length);
    task.report({ done: Math.min(done, total), failed: sum.failed, data: { ...sum } });
  };
  const copying = task.tracker.detail;
  let yieldedMs = 0;
  setHandler(sliceProgressSignal, (sliceId, done, waitedMs) => {
    share.set(sliceId, done);
    yieldedMs += waitedMs;
    // A chunk takes ten seconds: one that waited for a second of them and more was slowed down by it.
    task.setDetail(waitedMs < SLOWED_MS ? copying : `${copying}; slowly, since it leaves room for searches and writes`);
    task.report({ data: { yieldedMs } });
    reportDone();
  });
  let next = 0;
  const lane = async () => {
    for (let at = next; at < slices.length && !workflowInfo().continueAsNewSuggested; at = next) {
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
        const counts = sliceCounts(await child.result());
        sum.copied += counts.copied;
        sum.tombstones += counts.tombstones;
        sum.failed += counts.failed;
        shift(children, 'processing', 'done');
      } catch (error) {
        shift(children, 'processing', isCancellation(error) ? 'canceled' : 'failed');
        throw error;
      } finally {
        steering.running.delete(child);
      }
      share.set(child.workflowId, size);
      reportDone();
    }
  };
  await runLanes(steering.slicesAtOnce, lane);
  if (next < slices.length) {
    // All that were begun are finished: the lanes end only between two slices.
    state.copiedTo = slices[next - 1]?.until ?? state.copiedTo;
    return false;
  }
  task.report({ done: total });
  return true;
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
  to: 'processing' | 'done' | 'failed' | 'canceled',
) {
  children[from] = (children[from] ?? 1) - 1;
  children[to] = (children[to] ?? 0) + 1;
}
