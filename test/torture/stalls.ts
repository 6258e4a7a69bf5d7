import { max, quantile } from 'simple-statistics';
import type { Drain } from './drains.ts';
import type { Probe } from './probes.ts';

/** In milliseconds. */
export interface Distribution {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/**
 * Cost of cut-overs for writes. A write has met a cut-over if writers were blocked between its sending and its answer,
 * or it was blocked itself.
 */
export interface Stalls {
  cutOvers: number;
  /** How long writers were blocked. */
  drainMs: Distribution;
  /**
   * Wait of each write that met a cut-over, as its worker saw it: from the beginning of the first try that found
   * writers blocked or the alias moved (including the wait at the gate) to the end of the try that wrote (including new
   * look-ups, embedding again for the index that serves now, and writing again). 0 if it reached its write before or
   * after.
   */
  stallMs: Distribution;
  /** The same for only the writes that waited. */
  waitedMs: Distribution;
  /** Time from sending to answer, as a user sees it: of the writes that met a cut-over, and of the others. */
  metMs: Distribution;
  usualMs: Distribution;
}

export function describeStalls(probes: readonly Probe[], drains: readonly Drain[]): Stalls {
  const met = (probe: Probe) =>
    probe.heldBackMs > 0 || drains.some((drain) => drain.fromMs < probe.toMs && drain.toMs > probe.fromMs);
  const stalled = probes.filter(met);
  return {
    cutOvers: drains.length,
    drainMs: distributionOf(drains.map(lengthOf)),
    stallMs: distributionOf(stalled.map(({ heldBackMs }) => heldBackMs)),
    waitedMs: distributionOf(stalled.map(({ heldBackMs }) => heldBackMs).filter((ms) => ms > 0)),
    metMs: distributionOf(stalled.map(lengthOf)),
    usualMs: distributionOf(probes.filter((probe) => !met(probe)).map(lengthOf)),
  };
}

const lengthOf = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => toMs - fromMs;

export function distributionOf(numbers: number[]): Distribution {
  if (numbers.length === 0) return { count: 0, p50: 0, p90: 0, p99: 0, max: 0 };
  const [p50 = 0, p90 = 0, p99 = 0] = quantile(numbers, [0.5, 0.9, 0.99]).map(Math.round);
  return { count: numbers.length, p50, p90, p99, max: Math.round(max(numbers)) };
}
