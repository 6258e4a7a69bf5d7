import type { DatabaseObserver } from '../store/database.ts';
import { traceQuery } from '../tracing/queries.ts';
import type { Metrics } from './metrics.ts';

/** Shows how the pool of a process fares, as it is at the scrape; traced, its statements too become spans. */
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
