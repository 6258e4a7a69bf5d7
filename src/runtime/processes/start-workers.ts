import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { ActivityDependencies } from '../../activities/index.ts';
import { MAIN_DATABASE } from '../../contract/databases.ts';
import { messageOf } from '../../contract/errors.ts';
import { syncSchedules } from '../../jobs/schedules.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Models } from '../../models/models.ts';
import { servedDatabases } from '../../settings/databases.ts';
import type { Settings } from '../../settings/settings.ts';
import type { EncryptionKey } from '../../temporal/encryption/keys.ts';
import type { PlacedDatabase, PlacedDatabases } from '../further-databases.ts';
import type { JobsOptions } from '../job-workers.ts';
import type { Components } from '../lifecycle.ts';
import { ensureMaintenanceSchedule } from '../maintenance-schedule.ts';
import { type ProcessContext, START_WAIT_MS } from '../process-context.ts';
import { retryUntil } from '../retry-until.ts';
import { keepSearchViews } from '../search-views.ts';
import { activityDependencies } from '../wiring.ts';
import { createWorkers, type Workers, type WorkersOptions } from '../worker.ts';

const SCHEDULE_TIMEOUT_MS = 10_000;
/** Time between two tries to serve a database. */
const LOOK_AGAIN_MS = 5_000;

export type WorkerRole = NonNullable<WorkersOptions['role']>;

export interface StartWorkersOptions {
  settings: Settings;
  role: WorkerRole;
  connection: NativeConnection;
  namespace: string;
  encryptionKeys: readonly EncryptionKey[];
  client: Client;
  /** Not needed by the role `jobs`. */
  store?: { placed: PlacedDatabases; models: Models };
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
  const { settings, role, connection, namespace, encryptionKeys, workflowBundle, client, store, tasks, version } =
    options;
  // Before they accept work: pruned schedules start no more runs, and waiting tasks find their schedules as declared.
  const { log, say, signal } = context;
  if (tasks) await retryUntil({ waitMs: START_WAIT_MS, say, signal }, () => alignSchedules(options, tasks, log));
  signal.throwIfAborted();
  const { taskQueue } = settings;
  const common = {
    connection,
    namespace,
    encryptionKeys,
    role,
    workflowBundle,
    version,
    maxEmbedActivities: settings.embedConcurrency,
    shutdownGraceMs: settings.shutdownSeconds * 1_000,
  };
  const jobs = tasks && { ...tasks, concurrency: settings.jobConcurrency, client, log };
  const isServed = (database: string) => servedDatabases(settings).includes(database);
  if (!store) return run(components, 'the workers', await createWorkers({ ...common, taskQueue, jobs }));
  const { placed } = store;
  const serve = async (database: PlacedDatabase, jobs?: WorkersOptions['jobs']) => {
    const dependencies = dependenciesOf(components, options, database, log);
    const workers = await createWorkers({ ...common, taskQueue: database.taskQueue, dependencies, jobs });
    run(components, database.name === MAIN_DATABASE ? 'the workers' : `the workers of ${database.name}`, workers);
    if (role !== 'all' && role !== 'control') return;
    components.add('the SQL views', keepSearchViews(database.background, log));
    await scheduleMaintenance(client, database.taskQueue, log);
  };
  if (isServed(MAIN_DATABASE)) await serve(placed.main, jobs);
  else if (jobs) run(components, 'the workers', await createWorkers({ ...common, role: 'jobs', taskQueue, jobs }));
  for (const database of placed.others.filter(({ name }) => isServed(name))) {
    // One that is away does not keep the others from being served.
    const starting = serveWhenReady(database, () => serve(database), context);
    components.add(`the start of the workers of ${database.name}`, () => starting);
  }
}

function run(components: Components, name: string, workers: Workers): void {
  const running = workers.run();
  components.add(
    name,
    async () => {
      workers.shutdown();
      // `died` has reported why they failed.
      await running.catch(() => {});
    },
    running,
  );
}

/** Waits until a database can be used, however long that takes, and then serves it. */
async function serveWhenReady(
  { name, check }: PlacedDatabase,
  serve: () => Promise<void>,
  { log, signal }: ProcessContext,
): Promise<void> {
  let said = '';
  while (!signal.aborted) {
    try {
      await check();
      if (!signal.aborted) await serve();
      return;
    } catch (error) {
      if (signal.aborted) return;
      const why = messageOf(error);
      if (why !== said) log.error(`the database ${name} is not served yet: ${why}`);
      said = why;
      await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }
}

function dependenciesOf(
  components: Components,
  { settings, client, metrics, store }: StartWorkersOptions,
  { name, db, background, url, names }: PlacedDatabase,
  log: Logger,
): ActivityDependencies {
  const { models, placed } = store as NonNullable<StartWorkersOptions['store']>;
  const parts = { settings: { ...settings, databaseUrl: url }, client, models, metrics, log };
  const dependencies = {
    ...activityDependencies({ ...parts, db, background }),
    names,
    ...(name !== MAIN_DATABASE && { pruneNames: (signal: AbortSignal) => placed.directory.prune(name, signal) }),
  };
  components.add('the databases of sources', () => dependencies.sources.close());
  return dependencies;
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
async function scheduleMaintenance(client: Client, taskQueue: string, log: Logger): Promise<void> {
  try {
    await client.withDeadline(Date.now() + SCHEDULE_TIMEOUT_MS, () => ensureMaintenanceSchedule(client, taskQueue));
  } catch (error) {
    log.warn({ err: error }, 'maintenance could not be scheduled: old tombstones stay until the next start');
  }
}
