import { Hono } from 'hono';
import { requireHost } from '../api/middleware/hosts.ts';
import { onError } from '../api/problems.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { startHttpServer } from './http-server.ts';
import type { Components } from './lifecycle.ts';
import type { ProcessContext } from './process-context.ts';
import { freePort } from './servers/ports.ts';
import { installTemporalRuntime } from './temporal-connection.ts';

export interface WorkerMetricsOptions {
  /** From REEMBED_WORKER_METRICS_ADDRESS; null for no metrics server. */
  address: { host: string; port: number } | null;
  metrics: Metrics;
  /** Additional host names that are allowed. */
  allowedHosts: readonly string[];
}

/** Scrapes are short. */
const GRACE_MS = 1_000;
/** Temporal's core normally answers immediately. */
const CORE_LIMIT_MS = 2_000;

/**
 * Serves the metrics of a worker process, together with those of Temporal's core, which serves them on an internal
 * loopback port. Call it before the first connection to Temporal.
 * @throws ReembedError `InvalidSetting` if it cannot listen on the address.
 */
export async function showWorkerMetrics(
  components: Components,
  { address, metrics, allowedHosts }: WorkerMetricsOptions,
  { log }: ProcessContext,
): Promise<void> {
  if (address === null) return;
  const core = `127.0.0.1:${await freePort('127.0.0.1', 0)}`;
  installTemporalRuntime(log, core);
  metrics.alsoShow(async () => {
    const response = await fetch(`http://${core}/metrics`, { signal: AbortSignal.timeout(CORE_LIMIT_MS) });
    return response.text();
  });
  const app = new Hono();
  app.onError(onError(log));
  const { host } = address;
  app.use(requireHost({ names: [...allowedHosts, host], anyAddress: host === '0.0.0.0' || host === '::' }));
  app.get('/metrics', async (c) =>
    c.body(await metrics.scrape(), 200, { 'content-type': metrics.registry.contentType }),
  );
  const variable = 'REEMBED_WORKER_METRICS_ADDRESS';
  const what = { name: 'metrics of the worker', variable, host: variable };
  const server = await startHttpServer({ fetch: app.fetch, ...address, anyPort: false, what });
  components.add('the metrics of the worker', () => server.stop(GRACE_MS));
  log.info({ url: `${server.url}/metrics` }, 'worker metrics');
}
