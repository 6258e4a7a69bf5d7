import type { WorkerDeploymentVersion } from '@temporalio/common';
import { ReembedError } from '../../contract/errors.ts';
import { loadTasks } from '../../jobs/load.ts';
import { observeDatabase } from '../../metrics/database.ts';
import { createMetrics, type Metrics } from '../../metrics/metrics.ts';
import { servedDatabases } from '../../settings/databases.ts';
import type { Settings } from '../../settings/settings.ts';
import { createTemporalClient } from '../../temporal/connect.ts';
import { backgroundConnections, openWorkerDatabases } from '../database.ts';
import { openFurther } from '../further-databases.ts';
import { type Components, keepRunning } from '../lifecycle.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil, type WaitOptions } from '../retry-until.ts';
import { connectTemporal } from '../temporal-connection.ts';
import { startTracing } from '../tracing.ts';
import { createProcessModels } from '../wiring.ts';
import { showWorkerMetrics } from '../worker-metrics.ts';
import { readBundle } from '../workflow-bundle.ts';
import { startWorkers, type TasksToRun, type WorkerRole } from './start-workers.ts';

export interface RunWorkerOptions extends Omit<TasksToRun, 'registry' | 'modules' | 'temporal'> {
  role: WorkerRole;
}

/**
 * Runs workers until they are stopped, with the tasks of REEMBED_TASKS, if any. Temporal and Postgres may start later
 * or become unavailable: work continues when they are back.
 */
export async function runWorker(
  settings: Settings,
  { role, ...jobs }: RunWorkerOptions,
  context: ProcessContext,
): Promise<void> {
  const { temporal } = settings;
  const version = versionOf(settings);
  servedDatabases(settings); // reports unknown ones
  const tasks = await loadTasksOfRole(settings, role);
  await keepRunning(context, async (components, running) => {
    const { log, say, signal } = running;
    const wait = { waitMs: START_WAIT_MS, say, signal };
    const traced = await startTracing(components, { env: settings.env, service: 'reembed-worker' }, running);
    const metrics = createMetrics(['worker']);
    await showWorkerMetrics(
      components,
      { address: settings.workerMetricsAddress, allowedHosts: settings.allowedHosts, metrics },
      running,
    );
    const store =
      role === 'jobs' ? undefined : await openStore(settings, components, running, wait, { metrics, traced });
    const connection = await connectTemporal(temporal, log, wait);
    components.add('the Temporal connection', () => connection.close());
    const encrypted = temporal.encryptionKeys.length > 0;
    const workflowBundle = role === 'all' || role === 'control' ? await readBundle({ encrypted }) : undefined;
    signal.throwIfAborted();
    const parts = {
      connection,
      namespace: temporal.namespace,
      encryptionKeys: temporal.encryptionKeys,
      client: createTemporalClient(connection, temporal),
      store,
      metrics,
      workflowBundle,
      tasks: tasks && { ...tasks, ...jobs, temporal },
      version,
    };
    await startWorkers(components, { settings, role, ...parts }, running);
    log.info(
      { role, taskQueue: settings.taskQueue, temporal: temporal.address, namespace: temporal.namespace },
      'worker runs',
    );
    if (version) log.info(version, `this version gets tasks once it is current: ${makeCurrent(version)}`);
  });
}

/**
 * Returns the deployment version of the workers, if one is configured.
 * @throws ReembedError `InvalidSetting` if the task queue's name cannot be the name of a deployment
 */
function versionOf({ buildId, deploymentName, taskQueue }: Settings): WorkerDeploymentVersion | undefined {
  if (buildId === null) return undefined;
  if (deploymentName === null && /[.:]/.test(taskQueue)) {
    throw new ReembedError(
      'InvalidSetting',
      `REEMBED_DEPLOYMENT_NAME must be set: a worker deployment cannot be named like REEMBED_TASK_QUEUE, ${taskQueue}, which has a dot or a colon`,
    );
  }
  return { buildId, deploymentName: deploymentName ?? taskQueue };
}

/** Returns the command that makes the version current. */
function makeCurrent({ buildId, deploymentName }: WorkerDeploymentVersion): string {
  return `temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}`;
}

async function openStore(
  settings: Settings,
  components: Components,
  { log }: ProcessContext,
  wait: WaitOptions,
  { metrics, traced }: { metrics: Metrics; traced: boolean },
) {
  const observer = observeDatabase(metrics, traced);
  const { db, background, close } = openWorkerDatabases(settings, log, observer);
  components.add('the database connections', close);
  const opening = { log, observer, forBackground: backgroundConnections(settings) };
  const placed = openFurther(settings, { db, background }, opening);
  components.add('the connections of further databases', placed.close);
  await retryUntil(wait, () => placed.main.check());
  return { placed, models: createProcessModels(settings, background, { metrics, log }) };
}

/** Loads the tasks. @throws ReembedError `InvalidSetting` if there are none and the role has no other work */
async function loadTasksOfRole(
  { tasks }: Settings,
  role: WorkerRole,
): Promise<Pick<TasksToRun, 'registry' | 'modules'> | undefined> {
  if (tasks.length > 0 && (role === 'all' || role === 'jobs')) return loadTasks(tasks);
  if (role !== 'jobs') return undefined;
  throw new ReembedError('InvalidSetting', 'REEMBED_TASKS must name the modules or folders of the tasks to run');
}
