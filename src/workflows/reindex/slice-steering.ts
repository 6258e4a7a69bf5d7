import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { pauseSignal, resumeSignal, throttleSignal } from '../task/signals.ts';
import type { reindexSlice } from './slice.ts';

/** Controls the slices of a reindex while they run. */
export interface SliceSteering {
  /** Max. objects copied per second by all slices together; null for no limit. */
  ratePerSecond: number | null;
  paused: boolean;
  /** Time of all pauses so far, in milliseconds. */
  pausedMs(): number;
  slicesAtOnce: number;
  readonly running: Set<ChildWorkflowHandle<typeof reindexSlice>>;
  /** The share of the rate that one slice has; null for no limit. */
  rateOfOne(): number | null;
  pause(): Promise<void>;
  resume(): Promise<void>;
  throttle(ratePerSecond: number | null): Promise<void>;
}

/** Creates the controls before any slice has started; slices take the rate when they start. */
export function createSliceSteering(ratePerSecond: number | null): SliceSteering {
  const running: SliceSteering['running'] = new Set();
  let sinceMs: number | null = null;
  let beforeMs = 0;
  // A slice that has just ended cannot be signaled: that is not an error.
  const all = async (send: (slice: ChildWorkflowHandle<typeof reindexSlice>) => Promise<void>) => {
    await Promise.allSettled([...running].map(send));
  };
  return {
    running,
    slicesAtOnce: 1,
    ratePerSecond,
    paused: false,
    rateOfOne() {
      return this.ratePerSecond === null ? null : this.ratePerSecond / this.slicesAtOnce;
    },
    pausedMs: () => beforeMs + (sinceMs === null ? 0 : Date.now() - sinceMs),
    async pause() {
      this.paused = true;
      sinceMs ??= Date.now();
      await all((slice) => slice.signal(pauseSignal));
    },
    async resume() {
      this.paused = false;
      beforeMs = this.pausedMs();
      sinceMs = null;
      await all((slice) => slice.signal(resumeSignal));
    },
    async throttle(rate) {
      this.ratePerSecond = rate;
      await all((slice) => slice.signal(throttleSignal, this.rateOfOne()));
    },
  };
}
