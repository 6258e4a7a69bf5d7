import { type ProcessContext, START_WAIT_MS } from '../context.ts';
import { openConfiguredDatabase, requireMigrated } from '../database.ts';
import { keepRunning } from '../lifecycle.ts';
import { createProcessModels } from '../parts.ts';
import { patiently } from '../patience.ts';
import type { Settings } from '../settings.ts';
import { clientOn, connectTemporal } from '../temporal-connection.ts';
import { bundleWorkflows } from '../worker.ts';
import { startWorkers, type WorkerRole } from './start-workers.ts';

/**
 * Runs workers until a stop is asked for. Temporal and Postgres may come later than they and may go away: work goes on
 * when they are back.
 */
export async function runWorker(settings: Settings, role: WorkerRole, context: ProcessContext): Promise<void> {
  const { temporal } = settings;
  await keepRunning(context, async (components, running) => {
    const { log, say, signal } = running;
    const db = openConfiguredDatabase(settings, log);
    components.add('the database connections', () => db.destroy());
    const wait = { waitMs: START_WAIT_MS, say, signal };
    await patiently(wait, () => requireMigrated(db));
    const connection = await connectTemporal(temporal, log, wait);
    components.add('the Temporal connection', () => connection.close());
    const workflowBundle = await bundleWorkflows();
    signal.throwIfAborted();
    const parts = {
      connection,
      namespace: temporal.namespace,
      client: clientOn(connection, temporal.namespace),
      db,
      models: createProcessModels(settings),
      workflowBundle,
    };
    await startWorkers(components, { settings, role, ...parts }, running);
    log.info(
      { role, taskQueue: settings.taskQueue, temporal: temporal.address, namespace: temporal.namespace },
      'worker runs',
    );
  });
}
