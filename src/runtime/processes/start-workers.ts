import type { Client } from '@temporalio/client';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Models } from '../../models/models.ts';
import type { Db } from '../../store/database.ts';
import type { ProcessContext } from '../context.ts';
import type { Components } from '../lifecycle.ts';
import { ensureMaintenanceSchedule } from '../maintenance-schedule.ts';
import { activityDependencies } from '../parts.ts';
import type { Settings } from '../settings.ts';
import { createWorkers, type WorkersOptions } from '../worker.ts';

const SCHEDULE_TIMEOUT_MS = 10_000;

export type WorkerRole = NonNullable<WorkersOptions['role']>;

export interface StartWorkersOptions {
  settings: Settings;
  role: WorkerRole;
  connection: NativeConnection;
  namespace: string;
  client: Client;
  db: Db;
  models: Models;
  workflowBundle: WorkflowBundle;
}

/** Starts the workers of this process. When they are stopped, activities may go on for REEMBED_SHUTDOWN_SECONDS. */
export async function startWorkers(
  components: Components,
  options: StartWorkersOptions,
  { log }: ProcessContext,
): Promise<void> {
  const { settings, role, connection, namespace, workflowBundle } = options;
  const workers = await createWorkers({
    connection,
    namespace,
    taskQueue: settings.taskQueue,
    role,
    workflowBundle,
    maxEmbedActivities: settings.embedConcurrency,
    shutdownGraceMs: settings.shutdownSeconds * 1_000,
    dependencies: activityDependencies({ ...options, log }),
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
  if (role !== 'embed') await scheduleMaintenance(options, log);
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
