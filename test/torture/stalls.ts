import type { Probe } from './clients.ts';
import type { Drain } from './drains.ts';
import type { Outage } from './system.ts';

/** How long a writer that was held back may sleep before it looks again, and the way there and back. */
const AFTER_MS = 500;
/** What an outage can still do to a write after the piece is back: a worker's tasks are noticed to be lost by time-out. */
const AFTERMATH_MS = 15_000;

export interface Stalls {
  /** Writes that were under way while a cut-over held writers back. */
  overlapping: number;
  maxWriteStallMs: number;
  p99WriteStallMs: number;
  /** The same without those that an outage may have delayed: what a cut-over costs when nothing else goes wrong. */
  calm: { overlapping: number; maxMs: number; p99Ms: number };
  baselineMs: { p50: number; p99: number; writes: number };
  drains: number;
  maxDrainMs: number;
}

/**
 * The time that writes waited because of a cut-over: what they took more than a usual one, and at most as long as they
 * and the cut-over were under way together.
 */
export function stallsOf(probes: readonly Probe[], drains: readonly Drain[], outages: readonly Outage[]): Stalls {
  const overlaps = (span: Drain, from: number, to: number) => span.fromMs < to && span.toMs > from;
  const disturbed = ({ fromMs, toMs }: Probe) =>
    outages.some((outage) => outage.fromMs < toMs && outage.toMs + AFTERMATH_MS > fromMs);
  const held = (probe: Probe) => drains.filter((drain) => overlaps(drain, probe.fromMs, probe.toMs));
  const quiet = probes.filter((probe) => !disturbed(probe) && held(probe).length === 0).map(lengthOf);
  const usual = percentile(quiet.length > 0 ? quiet : probes.map(lengthOf), 0.5);

  const stall = (probe: Probe) => {
    const together = held(probe).map(
      (drain) => Math.min(probe.toMs, drain.toMs + AFTER_MS) - Math.max(probe.fromMs, drain.fromMs),
    );
    return Math.max(0, Math.min(lengthOf(probe) - usual, Math.max(...together)));
  };
  const stalled = probes.filter((probe) => held(probe).length > 0);
  const all = stalled.map(stall);
  const calm = stalled.filter((probe) => !disturbed(probe)).map(stall);
  return {
    overlapping: all.length,
    maxWriteStallMs: percentile(all, 1),
    p99WriteStallMs: percentile(all, 0.99),
    calm: { overlapping: calm.length, maxMs: percentile(calm, 1), p99Ms: percentile(calm, 0.99) },
    baselineMs: { p50: usual, p99: percentile(quiet, 0.99), writes: quiet.length },
    drains: drains.length,
    maxDrainMs: Math.max(0, ...drains.map(({ fromMs, toMs }) => toMs - fromMs)),
  };
}

const lengthOf = ({ fromMs, toMs }: Probe) => toMs - fromMs;

function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
