import type { Probe } from './clients.ts';
import type { Drain } from './drains.ts';

/** How long a writer that was held back may sleep before it looks again, and the way there and back. */
const AFTER_MS = 500;

export interface Stalls {
  /** Writes that were under way while a cut-over held writers back. */
  overlapping: number;
  maxWriteStallMs: number;
  p99WriteStallMs: number;
  /** What those took that no cut-over held back. */
  usualMs: { p50: number; p99: number; writes: number };
  drains: number;
  maxDrainMs: number;
}

/**
 * The time that writes waited because of a cut-over: what they took more than a usual one, and at most as long as they
 * and the cut-over were under way together.
 */
export function stallsOf(probes: readonly Probe[], drains: readonly Drain[]): Stalls {
  const held = (probe: Probe) => drains.filter((drain) => drain.fromMs < probe.toMs && drain.toMs > probe.fromMs);
  const free = probes.filter((probe) => held(probe).length === 0).map(lengthOf);
  const usual = percentile(free, 0.5);
  const stall = (probe: Probe) => {
    const together = held(probe).map(
      (drain) => Math.min(probe.toMs, drain.toMs + AFTER_MS) - Math.max(probe.fromMs, drain.fromMs),
    );
    return Math.max(0, Math.min(lengthOf(probe) - usual, Math.max(...together)));
  };
  const stalls = probes.filter((probe) => held(probe).length > 0).map(stall);
  return {
    overlapping: stalls.length,
    maxWriteStallMs: percentile(stalls, 1),
    p99WriteStallMs: percentile(stalls, 0.99),
    usualMs: { p50: usual, p99: percentile(free, 0.99), writes: free.length },
    drains: drains.length,
    maxDrainMs: Math.round(Math.max(0, ...drains.map(lengthOf))),
  };
}

const lengthOf = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => toMs - fromMs;

function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
