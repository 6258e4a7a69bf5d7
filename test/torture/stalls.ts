import { max, quantile } from 'simple-statistics';
import type { Drain } from './drains.ts';
import type { Probe } from './probes.ts';

/** Milliseconds. */
export interface Distribution {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/**
 * What cut-overs cost writes. A write has met a cut-over when it was between its sending and its answer while writers
 * were held back, or was held back itself.
 */
export interface Stalls {
  cutOvers: number;
  /** For how long writers were held back. */
  drainMs: Distribution;
  /**
   * Of each write that met one: how long it waited because of it, as its worker saw it. From the beginning of the first
   * try that found writers held back or the alias moved (so with the wait at the gate) to the end of the one that wrote:
   * with all looking again, embedding again for the index that serves now, and writing again. 0 where it came to its
   * write before or after.
   */
  stallMs: Distribution;
  /** The same of those alone that did wait. */
  waitedMs: Distribution;
  /** As a user sees it, from sending to answer: what those took that met a cut-over, and what the others took. */
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
