import type { Client } from '@temporalio/client';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { EncryptionKey } from '../../client/temporal/encryption/keys.ts';
import { bringSchedulesInLine } from '../../jobs/schedules.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Models } from '../../models/models.ts';
import type { Db } from '../../store/database.ts';
import { type ProcessContext, START_WAIT_MS } from '../context.ts';
import type { JobsOptions } from '../job-workers.ts';
import type { Components } from '../lifecycle.ts';
import { ensureMaintenanceSchedule } from '../maintenance-schedule.ts';
import { activityDependencies } from '../parts.ts';
import { patiently } from '../patience.ts';
import type { Settings } from '../settings.ts';
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

/** The user's own tasks, and how this process runs them. */
export interface TasksToRun
  extends Pick<JobsOptions, 'registry' | 'queues' | 'ratePerSecond' | 'modules' | 'temporal'> {
  /** Remove the schedules that they declared before and no longer do. */
  pruneSchedules?: boolean;
}

/** Starts the workers of this process. When they are stopped, activities may go on for REEMBED_SHUTDOWN_SECONDS. */
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
  // Before they take work: what is pruned starts nothing more, and a task that waits finds its schedule as declared.
  const { log, say, signal } = context;
  if (tasks) await patiently({ waitMs: START_WAIT_MS, say, signal }, () => alignSchedules(options, tasks, log));
  signal.throwIfAborted();
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
    dependencies: store && activityDependencies({ settings, client, metrics, log, ...store }),
    jobs: tasks && { ...tasks, concurrency: settings.jobConcurrency, client, log },
  });
  const running = workers.run();
  components.add(
    'the workers',
    async () => {
      workers.shutdown();
      // Why they broke down has been told by `died`.
      await running.catch(() => {});
    },
    running,
  );
  if (role === 'all' || role === 'control') await scheduleMaintenance(options, log);
}

/** A schedule that its task would not take is a mistake in the code, and ends the start. */
async function alignSchedules(
  { client, settings: { taskQueue } }: StartWorkersOptions,
  { registry, pruneSchedules: prune }: TasksToRun,
  log: Logger,
): Promise<void> {
  const count = await bringSchedulesInLine(registry, { client, taskQueue }, { prune });
  log.info({ tasks: registry.tasks.map(({ name }) => name), schedules: count }, 'tasks are known');
}

/** Work goes on without it, so a server that has no schedules for us is no reason to stop. */
async function scheduleMaintenance({ client, settings }: StartWorkersOptions, log: Logger): Promise<void> {
  try {
    await client.withDeadline(Date.now() + SCHEDULE_TIMEOUT_MS, () =>
      ensureMaintenanceSchedule(client, settings.taskQueue),
    );
  } catch (error) {
    log.warn({ err: error }, 'maintenance could not be scheduled: old tombstones stay until the next start');
  }
}
