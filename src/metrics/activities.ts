import type { ControlActivities, EmbedActivities } from '../contract/activities.ts';
import { isErrorType, ReembedError } from '../contract/errors.ts';
import type { CopyCounts } from '../contract/reindex-activities.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { wrapEach } from '../contract/wrap-each.ts';
import type { Metrics } from './metrics.ts';

type Measured = EmbedActivities & ControlActivities;

/** Functions that count the results of successful activities. */
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
  rollBack: ({ rollBacks }, { kind }) => rollBacks.inc({ outcome: kind }),
  renewLock: ({ lockRenewals }) => lockRenewals.inc({ outcome: 'renewed' }),
  collectTombstones: ({ tombstonesRemoved }, removed) => tombstonesRemoved.inc(removed),
};

/** Wraps activities to count their results. Work of a failed attempt is counted by the next one. */
export function withMetrics<T extends object>(activities: T, metrics: Metrics | undefined): T {
  if (!metrics) return activities;
  return wrapEach(activities, async (run, args, name) => {
    const count = COUNTING[name as keyof Measured] as undefined | ((...counted: unknown[]) => void);
    const result = await run(...args).catch((error: unknown) => {
      if (name === 'renewLock') metrics.lockRenewals.inc({ outcome: isLost(error) ? 'lost' : 'failed' });
      throw error;
    });
    count?.(metrics, result, args);
    return result;
  });
}

function isLost(error: unknown): boolean {
  return error instanceof ReembedError && error.type === 'LockLost';
}

/** Counts items that were added to a failed list. */
export function countFailedItems(
  metrics: Metrics | undefined,
  failed: readonly Pick<FailedItem, 'stage' | 'reason'>[],
): void {
  for (const { stage, reason } of failed) {
    const known = isErrorType(reason) || reason === 'stale-beyond-retention';
    metrics?.itemsFailed.inc({ stage, reason: known ? reason : 'other' });
  }
}
