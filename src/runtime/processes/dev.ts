import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { messageOf } from '../../contract/errors.ts';
import { loadTasks } from '../../jobs/load.ts';
import { observeDatabase } from '../../metrics/database.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { databaseUrls } from '../../settings/databases.ts';
import { leaveAddresses } from '../../settings/dev-addresses.ts';
import type { Settings } from '../../settings/settings.ts';
import { createTemporalClient } from '../../temporal/connect.ts';
import { openDataDir } from '../data-dir.ts';
import { backgroundConnections } from '../database.ts';
import { openFurther } from '../further-databases.ts';
import { keepRunning } from '../lifecycle.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { connectTemporal } from '../temporal-connection.ts';
import { runTour } from '../tour/tour.ts';
import { startTracing } from '../tracing.ts';
import { createProcessModels } from '../wiring.ts';
import { showWorkerMetrics } from '../worker-metrics.ts';
import { readBundle } from '../workflow-bundle.ts';
import { startDevServers } from './dev-servers.ts';
import { requireTokens, startApi } from './start-api.ts';
import { startWorkers } from './start-workers.ts';

/** Short, because requests that wait for the end of a task would delay Ctrl-C. */
const REQUEST_GRACE_MS = 2_000;

/** Addresses of a running `dev`. */
export interface DevAddresses {
  api: string;
  docs: string;
  temporalUi: string | null;
  temporal: string;
  namespace: string;
  dataDir: string;
  /** Shell command that sets the variables for clients of this `dev` in other folders. */
  export: string;
}

export interface DevOptions {
  /** Show what reembed does after the start. */
  tour: boolean;
  /** Remove schedules that the tasks no longer declare. */
  pruneSchedules?: boolean;
  /** Port of Temporal, or the next free one if it is in use; default: 7233. */
  temporalPort?: number | undefined;
  onReady: (addresses: DevAddresses) => void;
}

/**
 * Runs everything in one process, with all data in one directory: database, Temporal, workers, API. If one component
 * fails, all are stopped in order: the API first, so that no new work arrives, then the workers, then what they need.
 */
export async function runDev(
  settings: Settings,
  { tour, pruneSchedules, temporalPort, onReady }: DevOptions,
  context: ProcessContext,
): Promise<void> {
  const dataDir = path.resolve(settings.dataDir);
  requireTokens(settings);
  databaseUrls(settings); // reports wrong ones
  const loaded = settings.tasks.length > 0 ? await loadTasks(settings.tasks) : undefined;
  await keepRunning(context, async (components, running) => {
    const { log, say, signal } = running;
    components.add('the data directory', await openDataDir(dataDir));
    const bundling = readBundle({ encrypted: settings.temporal.encryptionKeys.length > 0 });
    bundling.catch(() => {});
    const traced = await startTracing(components, { env: settings.env, service: 'reembed-dev' }, running);
    const metrics = createMetrics(['api', 'worker']);
    await showWorkerMetrics(
      components,
      { address: settings.workerMetricsAddress, allowedHosts: settings.allowedHosts, metrics },
      running,
    );
    const { db, background, temporal, temporalUi } = await startDevServers(
      components,
      { ...settings, dataDir, temporalPort },
      running,
      observeDatabase(metrics, traced),
    );
    signal.throwIfAborted();
    const connection = await connectTemporal(temporal, log, { waitMs: START_WAIT_MS, say, signal });
    components.add('the Temporal connection', () => connection.close());
    const workflowBundle = await bundling;
    signal.throwIfAborted();

    // On the workers' connection, so that a task can start without the server's task queue.
    const client = createTemporalClient(connection, temporal);
    const { namespace, encryptionKeys } = temporal;
    const opening = { log, forBackground: backgroundConnections(settings), observer: observeDatabase(metrics, traced) };
    const placed = openFurther(settings, { db, background }, opening);
    components.add('the connections of further databases', placed.close);
    await placed.main.check();
    const models = createProcessModels(settings, background, { metrics, log });
    const tasks = loaded && { ...loaded, temporal, pruneSchedules };
    const workers = {
      settings,
      client,
      store: { placed, models },
      metrics,
      role: 'all',
      connection,
      namespace,
      encryptionKeys,
      workflowBundle,
      tasks,
    } as const;
    await startWorkers(components, workers, running);
    const token = randomBytes(32).toString('base64url');
    const ownToken = tour ? ({ name: 'tour', role: 'admin', token } as const) : undefined;
    const graceMs = REQUEST_GRACE_MS;
    const registry = loaded?.registry;
    const servers = { client, db, background, placed, models, metrics, registry, temporalUi };
    const parts = { settings, ...servers, anyPort: true, graceMs, ownToken };
    const api = await startApi(components, parts, running);
    const wanted = settings.port;
    if (wanted !== 0 && new URL(api).port !== String(wanted))
      say(`port ${wanted} is in use, the API listens at ${api}`);
    const { taskQueue } = settings;
    const { address } = temporal;
    const forgetAddresses = await leaveAddresses(dataDir, { api, temporal: address, namespace, taskQueue });
    components.add('the addresses in the data directory', forgetAddresses);
    const shell = `export TEMPORAL_ADDRESS=${address} TEMPORAL_NAMESPACE=${namespace} REEMBED_TASK_QUEUE=${taskQueue} REEMBED_URL=${api}`;
    const addresses = {
      ...{ api, docs: `${api}/docs`, temporalUi, temporal: address, namespace, dataDir },
      export: shell,
    };
    onReady(addresses);

    if (!tour) return;
    const touring = runTour({ baseUrl: api, token, dataDir, say, signal }).then(
      // Again, because the tour has scrolled them off the screen.
      () => signal.aborted || onReady(addresses),
      (error) => signal.aborted || say(`the tour ended early: ${messageOf(error)}`),
    );
    components.add('the tour', () => touring);
  });
}
