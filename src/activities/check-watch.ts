import type { ControlActivities } from '../contract/activities.ts';
import type { WatchCheck } from '../contract/reindex-activities.ts';
import { exceededBounds, type WatchFigures } from '../contract/watch.ts';
import { latenciesIn, quantileOf } from '../metrics/latency-buckets.ts';
import type { Db } from '../store/database.ts';
import { getWatchCounts, WATCH_COUNTS, type WatchSums } from '../store/watch-counts.ts';

/** Reads the figures of a watch and compares them with its bounds. */
export async function checkWatch(
  db: Db,
  { lock, rollBackIf }: Parameters<ControlActivities['checkWatch']>[0],
): Promise<WatchCheck> {
  const { now, since, before } = await getWatchCounts(db, lock, rollBackIf.minSearches);
  const [figures, baseline] = [figuresOf(now), figuresOf(before)];
  const exceeded = exceededBounds(rollBackIf, figures, baseline);
  return { since: since?.toISOString() ?? null, figures, baseline, exceeded };
}

function figuresOf(sums: WatchSums): WatchFigures {
  const count = (name: string) => sums.get(name) ?? 0;
  const searches = count(WATCH_COUNTS.answered) + count(WATCH_COUNTS.failed);
  const share = (name: string) => (searches === 0 ? null : Number((count(name) / searches).toPrecision(4)));
  return {
    searches,
    emptyShare: share(WATCH_COUNTS.empty),
    errorShare: share(WATCH_COUNTS.failed),
    latencyP95Ms: quantileOf(latenciesIn(sums, WATCH_COUNTS.latency), 0.95),
  };
}
