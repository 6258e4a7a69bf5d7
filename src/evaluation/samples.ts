import { seededRandom } from './random.ts';

/** Returns the mean; 0 without values. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) return 0;
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * Returns the value below or at which this share (0 to 1) of the values lies, by the nearest rank (Hyndman and Fan,
 * "Sample quantiles in statistical packages", 1996, definition 1); null without values.
 */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  return quantileOfSorted(Float64Array.from(values).sort(), share);
}

function quantileOfSorted(sorted: Float64Array, share: number): number {
  const place = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, place))] as number;
}

/** A confidence interval. */
export interface Interval {
  low: number;
  high: number;
}

export interface BootstrapOptions {
  /** Share of the resamples within the interval, between 0 and 1. */
  confidence: number;
  /** The same seed gives the same interval. */
  seed: number;
  /** Default: 2,000. */
  resamples?: number;
  /** Awaited between resamples, so that long computations do not block the event loop. */
  breathe?: () => Promise<void>;
}

const RESAMPLES = 2_000;

/**
 * Returns the bootstrap percentile interval of the mean of paired differences: the queries are drawn again with
 * replacement, each with its values on both sides, and the means of these resamples are cut off at both ends.
 *
 * Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; for comparing retrieval systems by query:
 * Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006. Returns null without differences.
 */
export async function bootstrapInterval(
  differences: readonly number[],
  { confidence, seed, resamples = RESAMPLES, breathe = async () => {} }: BootstrapOptions,
): Promise<Interval | null> {
  const count = differences.length;
  if (count === 0) return null;
  const values = Float64Array.from(differences);
  const random = seededRandom(seed);
  const means = new Float64Array(resamples);
  for (let at = 0; at < resamples; at++) {
    let sum = 0;
    for (let drawn = 0; drawn < count; drawn++) sum += values[Math.floor(random() * count)] as number;
    means[at] = sum / count;
    await breathe();
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantileOfSorted(means, tail), high: quantileOfSorted(means, 1 - tail) };
}

/** Numbers of queries by the sign of their difference; differences within rounding error are equal. */
export function countBySign(differences: readonly number[]): { better: number; equal: number; worse: number } {
  const counts = { better: 0, equal: 0, worse: 0 };
  for (const difference of differences) {
    if (Math.abs(difference) < 1e-9) counts.equal++;
    else if (difference > 0) counts.better++;
    else counts.worse++;
  }
  return counts;
}
