import type { Client } from '@temporalio/client';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import type { Logger } from 'pino';
import { syncSchedules } from '../../jobs/schedules.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Models } from '../../models/models.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Db } from '../../store/database.ts';
import type { EncryptionKey } from '../../temporal/encryption/keys.ts';
import type { JobsOptions } from '../job-workers.ts';
import type { Components } from '../lifecycle.ts';
import { ensureMaintenanceSchedule } from '../maintenance-schedule.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil } from '../retry-until.ts';
import { keepSearchViews } from '../search-views.ts';
import { activityDependencies } from '../wiring.ts';
import { createWorkers, type WorkersOptions } from '../worker.ts';

const SCHEDULE_TIMEOUT_MS = 10_000;

export type WorkerRole = NonNullable<WorkersOptions['role']>;

export interface StartWorkersOptions {
  settings: Settings;
  role: WorkerRole;
  connection: NativeConnection;
  namespace: string;
  encryptionKeys: readonly EncryptionKey[];
  client: Client;
  /** Not needed by the role `jobs`. */
  store?: { db: Db; background: Db; models: Models };
  metrics: Metrics;
  /** Not needed by the roles `embed` and `jobs`. */
  workflowBundle?: WorkflowBundle;
  tasks?: TasksToRun;
  version?: WorkersOptions['version'];
}

/** The user's tasks, and how this process runs them. */
export interface TasksToRun
  extends Pick<JobsOptions, 'registry' | 'queues' | 'ratePerSecond' | 'modules' | 'temporal'> {
  /** Remove schedules that the tasks no longer declare. */
  pruneSchedules?: boolean;
}

/** Starts the workers of this process. After a stop, activities may continue for REEMBED_SHUTDOWN_SECONDS. */
export async function startWorkers(
  components: Components,
  options: StartWorkersOptions,
  context: ProcessContext,
): Promise<void> {
  const {
    settings,
    role,
    connection,
    namespace,
    encryptionKeys,
    workflowBundle,
    client,
    store,
    tasks,
    version,
    metrics,
  } = options;
  // Before they accept work: pruned schedules start no more runs, and waiting tasks find their schedules as declared.
  const { log, say, signal } = context;
  if (tasks) await retryUntil({ waitMs: START_WAIT_MS, say, signal }, () => alignSchedules(options, tasks, log));
  signal.throwIfAborted();
  const dependencies = store && activityDependencies({ settings, client, metrics, log, ...store });
  if (dependencies) components.add('the databases of sources', () => dependencies.sources.close());
  const workers = await createWorkers({
    connection,
    namespace,
    encryptionKeys,
    taskQueue: settings.taskQueue,
    role,
    workflowBundle,
    version,
    maxEmbedActivities: settings.embedConcurrency,
    shutdownGraceMs: settings.shutdownSeconds * 1_000,
    dependencies,
    jobs: tasks && { ...tasks, concurrency: settings.jobConcurrency, client, log },
  });
  const running = workers.run();
  components.add(
    'the workers',
    async () => {
      workers.shutdown();
      // `died` has reported why they failed.
      await running.catch(() => {});
    },
    running,
  );
  if (role !== 'all' && role !== 'control') return;
  if (store) components.add('the SQL views', keepSearchViews(store.background, log));
  await scheduleMaintenance(options, log);
}

/** Syncs the declared schedules. An input that its task does not accept is an error in the code and fails the start. */
async function alignSchedules(
  { client, settings: { taskQueue } }: StartWorkersOptions,
  { registry, pruneSchedules: prune }: TasksToRun,
  log: Logger,
): Promise<void> {
  const count = await syncSchedules(registry, { client, taskQueue }, { prune });
  log.info({ tasks: registry.tasks.map(({ name }) => name), schedules: count }, 'tasks registered');
}

/** Schedules maintenance. Workers do not depend on it, so a server without schedules does not stop them. */
async function scheduleMaintenance({ client, settings }: StartWorkersOptions, log: Logger): Promise<void> {
  try {
    await client.withDeadline(Date.now() + SCHEDULE_TIMEOUT_MS, () =>
      ensureMaintenanceSchedule(client, settings.taskQueue),
    );
  } catch (error) {
    log.warn({ err: error }, 'maintenance could not be scheduled: old tombstones stay until the next start');
  }
}
