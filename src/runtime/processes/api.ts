import { messageOf } from '../../contract/errors.ts';
import { loadTasks } from '../../jobs/load.ts';
import { observeDatabase } from '../../metrics/database.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import type { Settings } from '../../settings/settings.ts';
import { openApiDatabases, PLAN_CONNECTIONS } from '../database.ts';
import { openFurther } from '../further-databases.ts';
import { keepRunning } from '../lifecycle.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil } from '../retry-until.ts';
import { openTemporalClient } from '../temporal-connection.ts';
import { startTracing } from '../tracing.ts';
import { createProcessModels } from '../wiring.ts';
import { requireTokens, startApi } from './start-api.ts';

/**
 * Runs the API until it is stopped, with the tasks of REEMBED_TASKS, if any, so that calls of them are validated
 * immediately. It starts without Temporal, since searching does not need it.
 */
export async function runApi(
  settings: Settings,
  onReady: (url: string) => void,
  context: ProcessContext,
): Promise<void> {
  requireTokens(settings);
  const tasks = settings.tasks.length > 0 ? await loadTasks(settings.tasks) : undefined;
  await keepRunning(context, async (components, running) => {
    const { log, say, signal } = running;
    const traced = await startTracing(components, { env: settings.env, service: 'reembed-api' }, running);
    const metrics = createMetrics(['api']);
    const observer = observeDatabase(metrics, traced);
    const { db, background, close } = openApiDatabases(settings, log, observer);
    components.add('the database connections', close);
    const opening = { log, observer, forBackground: PLAN_CONNECTIONS };
    const placed = openFurther(settings, { db, background }, opening);
    components.add('the connections of further databases', placed.close);
    await retryUntil({ waitMs: START_WAIT_MS, say, signal }, () => placed.main.check());
    const temporal = openTemporalClient(settings.temporal, log, signal);
    temporal.ready.catch((error) => signal.aborted || log.error(messageOf(error)));
    components.add('the Temporal connection', () => temporal.close());
    const parts = {
      client: temporal.client,
      db,
      background,
      placed,
      models: createProcessModels(settings, db, { metrics, log }),
      metrics,
      registry: tasks?.registry,
      anyPort: false,
      buildsDocument: true,
      graceMs: settings.shutdownSeconds * 1_000,
    };
    const url = await startApi(components, { settings, ...parts }, running);
    log.info({ url, temporal: settings.temporal.address, namespace: settings.temporal.namespace }, 'API listens');
    onReady(url);
  });
}
