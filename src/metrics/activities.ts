import type { ControlActivities, CopyCounts, EmbedActivities } from '../contract/activities.ts';
import { isErrorType, ReembedError } from '../contract/errors.ts';
import type { FailedItem } from '../contract/tasks.ts';
import type { Metrics } from './metrics.ts';

type Measured = EmbedActivities & ControlActivities;

/** What is counted when an activity has ended well. */
type Counting = {
  [Name in keyof Measured]?: (
    metrics: Metrics,
    result: Awaited<ReturnType<Measured[Name]>>,
    args: Parameters<Measured[Name]>,
  ) => void;
};

const countCopies = ({ objectsCopied }: Metrics, by: string, { copied, tombstones, failed }: CopyCounts) => {
  objectsCopied.inc({ by, outcome: 'copied' }, copied);
  objectsCopied.inc({ by, outcome: 'tombstone' }, tombstones);
  objectsCopied.inc({ by, outcome: 'failed' }, failed);
};

const COUNTING: Counting = {
  writeChunk(
    metrics,
    { counts: { written, unchanged, stale, failed }, heldBackMs, forwarded = 0 },
    [{ kind: operation }],
  ) {
    const applied = operation === 'delete' ? 'deleted' : 'embedded';
    metrics.itemsWritten.inc({ operation, outcome: applied }, written - unchanged);
    metrics.itemsWritten.inc({ operation, outcome: 'unchanged' }, unchanged);
    metrics.itemsWritten.inc({ operation, outcome: 'stale' }, stale);
    metrics.itemsWritten.inc({ operation, outcome: 'failed' }, failed);
    metrics.objectsCopied.inc({ by: 'forward', outcome: 'copied' }, forwarded);
    if (heldBackMs > 0) metrics.heldBackSeconds.observe(heldBackMs / 1_000);
  },
  copySlice: (metrics, { counts }) => countCopies(metrics, 'slice', counts),
  reconcile: (metrics, { counts }) => countCopies(metrics, 'reconcile', counts),
  forwardChunk: ({ objectsCopied }, { forwarded }) =>
    objectsCopied.inc({ by: 'forward', outcome: 'copied' }, forwarded),
  cutOver: ({ drainSeconds }, { kind, drainMs }) => drainSeconds.observe({ outcome: kind }, drainMs / 1_000),
  renewLock: ({ lockRenewals }) => lockRenewals.inc({ outcome: 'renewed' }),
  collectTombstones: ({ tombstonesRemoved }, removed) => tombstonesRemoved.inc(removed),
};

type Functions = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** The same activities, counted by what they answer with. Work of a try that failed is counted by the try after it. */
export function withMetrics<T extends object>(activities: T, metrics: Metrics | undefined): T {
  if (!metrics) return activities;
  const counted = Object.entries(activities as Functions).map(([name, run]) => {
    const count = COUNTING[name as keyof Measured] as undefined | ((...told: unknown[]) => void);
    if (!count) return [name, run];
    return [
      name,
      async (...args: unknown[]) => {
        const result = await run(...args).catch((error: unknown) => {
          if (name === 'renewLock') metrics.lockRenewals.inc({ outcome: isLost(error) ? 'lost' : 'failed' });
          throw error;
        });
        count(metrics, result, args);
        return result;
      },
    ];
  });
  return Object.fromEntries(counted) as T;
}

function isLost(error: unknown): boolean {
  return error instanceof ReembedError && error.type === 'LockLost';
}

/** Counts what was put on a failed list. */
export function countFailedItems(
  metrics: Metrics | undefined,
  failed: readonly Pick<FailedItem, 'stage' | 'reason'>[],
): void {
  for (const { stage, reason } of failed) {
    const known = isErrorType(reason) || reason === 'stale-beyond-retention';
    metrics?.itemsFailed.inc({ stage, reason: known ? reason : 'other' });
  }
}
