/** Max. age of the listed tasks. */
export const WITHIN = ['1h', '24h', '7d'] as const;
export type Within = (typeof WITHIN)[number];

export const WITHIN_LABELS: Record<Within, string> = { '1h': 'last hour', '24h': 'last 24 hours', '7d': 'last 7 days' };

const MS: Record<Within, number> = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 };

/** Returns the earliest creation time, rounded to minutes so that the query key stays the same for a while. */
export function sinceOf(within: Within | undefined): string | undefined {
  if (within === undefined) return undefined;
  return new Date(Math.floor((Date.now() - MS[within]) / 60_000) * 60_000).toISOString();
}
