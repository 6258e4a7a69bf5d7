import type { DatabaseObserver } from '../store/database.ts';
import { traceQuery } from '../tracing/queries.ts';
import type { Metrics } from './metrics.ts';

/** Creates an observer that shows the pools' state at each scrape and, if `traced`, turns statements into spans. */
export function observeDatabase(metrics: Metrics, traced: boolean): DatabaseObserver {
  const { databaseConnections, databaseConnectionsMax, databaseWaiting } = metrics;
  return {
    opened(pool, counts) {
      metrics.beforeScrape(() => {
        const { used, idle, waiting, max } = counts();
        databaseConnections.set({ pool, state: 'used' }, used);
        databaseConnections.set({ pool, state: 'idle' }, idle);
        databaseWaiting.set({ pool }, waiting);
        databaseConnectionsMax.set({ pool }, max);
      });
    },
    ...(traced && { queried: traceQuery }),
  };
}
