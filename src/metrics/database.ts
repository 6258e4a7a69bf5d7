import type { DatabaseObserver, PoolCounts } from '../store/database.ts';
import { traceQuery } from '../tracing/queries.ts';
import type { Metrics } from './metrics.ts';

/** Creates an observer that shows the pools' state at each scrape and, if `traced`, turns statements into spans. */
export function observeDatabase(metrics: Metrics, traced: boolean): DatabaseObserver {
  const { databaseConnections, databaseConnectionsMax, databaseWaiting } = metrics;
  const pools = new Map<string, (() => PoolCounts)[]>();
  return {
    // The same pools of several databases are shown as one.
    opened(pool, counts) {
      const same = pools.get(pool) ?? [];
      pools.set(pool, [...same, counts]);
      if (same.length > 0) return;
      metrics.beforeScrape(() => {
        const { used, idle, waiting, max } = sum(pools.get(pool) ?? []);
        databaseConnections.set({ pool, state: 'used' }, used);
        databaseConnections.set({ pool, state: 'idle' }, idle);
        databaseWaiting.set({ pool }, waiting);
        databaseConnectionsMax.set({ pool }, max);
      });
    },
    ...(traced && { queried: traceQuery }),
  };
}

function sum(pools: readonly (() => PoolCounts)[]): PoolCounts {
  const total = { used: 0, idle: 0, waiting: 0, max: 0 };
  for (const counts of pools) {
    const { used, idle, waiting, max } = counts();
    total.used += used;
    total.idle += idle;
    total.waiting += waiting;
    total.max += max;
  }
  return total;
}
