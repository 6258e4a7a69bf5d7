/** Buckets for latencies: eight for each doubling, so that a quantile is off by 5 % at most. */
const PER_DOUBLING = 8;
const MIN_MS = 0.1;
const MAX_MS = 3_600_000;

/** Returns the number of the bucket of a latency. */
export function bucketOf(ms: number): number {
  return Math.floor(Math.log2(Math.min(MAX_MS, Math.max(MIN_MS, ms)) / MIN_MS) * PER_DOUBLING);
}

/** Returns the counted latencies among sums whose names are a prefix and the number of a bucket. */
export function latenciesIn(sums: ReadonlyMap<string, number>, prefix: string): Map<number, number> {
  const named = [...sums].filter(([name]) => name.startsWith(prefix));
  return new Map(named.map(([name, count]) => [Number(name.slice(prefix.length)), count]));
}

/** Returns the latency in the middle of a bucket. */
function middleOf(bucket: number): number {
  return MIN_MS * 2 ** ((bucket + 0.5) / PER_DOUBLING);
}

/** Returns the quantile `q` of counted latencies, in ms; null if there are none. */
export function quantileOf(counts: ReadonlyMap<number, number>, q: number): number | null {
  const buckets = [...counts].sort(([one], [other]) => one - other);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (count > 0 && seen >= q * total) return Math.round(middleOf(bucket) * 10) / 10;
  }
  return null;
}
