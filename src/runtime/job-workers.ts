import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createJobActivities } from '../activities/jobs.ts';
import { ReembedError } from '../contract/errors.ts';
import { admissionQueueOf, DEFAULT_QUEUE, jobQueueOf } from '../contract/names.ts';
import { queuesOf } from '../jobs/inspect.ts';
import { createIsolation, type Isolation } from '../jobs/isolation-pool.ts';
import type { Registry } from '../jobs/types.ts';
import type { TemporalSettings } from '../settings/temporal.ts';

export interface JobsOptions {
  /** The tasks of these workers. Connected if necessary, so that handlers can send jobs. */
  registry: Registry;
  /** The queues that they serve; default: the default queue and all queues named in definitions. */
  queues?: readonly string[];
  /** Max. concurrent handlers of one queue in this process. */
  concurrency?: number;
  /** Max. attempts per second by queue, across all its workers; the worker started last sets the rate. */
  ratePerSecond?: Readonly<Record<string, number>>;
  /** Needed for the option `isolate`: the modules that define the tasks, and the connection for isolated handlers. */
  modules?: readonly string[];
  temporal?: Pick<TemporalSettings, 'connection' | 'namespace' | 'encryptionKeys'>;
  client: Client;
  log: Logger;
}

export interface JobWorkers {
  workers: Worker[];
  /** Ends the isolation threads and processes, after the workers have stopped. */
  close(): Promise<void>;
}

const CONCURRENCY = 16;
/** Max. concurrent admissions; they are short, and no job should wait for one. */
const ADMISSIONS = 100;

/** Creates one worker per job queue, and one that admits jobs started without our client. */
export async function createJobWorkers(
  common: Omit<WorkerOptions, 'taskQueue'>,
  taskQueue: string,
  options: JobsOptions,
): Promise<JobWorkers> {
  const { registry, queues, concurrency = CONCURRENCY, ratePerSecond = {}, client, log } = options;
  const served = [...new Set(queues ?? [DEFAULT_QUEUE, ...queuesOf(registry)])];
  const unserved = Object.keys(ratePerSecond).find((queue) => !served.includes(queue));
  if (unserved !== undefined) {
    throw new ReembedError(
      'InvalidInput',
      `there is a rate for the queue ${unserved}, which this worker does not serve`,
    );
  }
  for (const each of new Set([registry, ...registry.tasks.map((task) => task.registry)])) {
    if (!each.isConnected) each.connect({ client, taskQueue });
  }
  const isolation = isolationOf(options, taskQueue, concurrency * served.length);
  const workerId = `${process.pid}@${hostname()}`;
  const activities = createJobActivities({ registry, client, taskQueue, workerId, log, isolation });
  const workers = served.map((queue) =>
    Worker.create({
      ...common,
      identity: workerId,
      taskQueue: jobQueueOf(taskQueue, queue),
      activities: { ...activities.jobs },
      maxConcurrentActivityTaskExecutions: concurrency,
      maxTaskQueueActivitiesPerSecond: ratePerSecond[queue],
    }),
  );
  const admission = Worker.create({
    ...common,
    identity: workerId,
    taskQueue: admissionQueueOf(taskQueue),
    activities: { ...activities.admission },
    maxConcurrentActivityTaskExecutions: ADMISSIONS,
  });
  return {
    workers: await Promise.all([...workers, admission]),
    close: async () => isolation?.close(),
  };
}

function isolationOf({ modules, temporal, log }: JobsOptions, taskQueue: string, max: number): Isolation | undefined {
  if (!modules || !temporal) return undefined;
  return createIsolation({
    modules,
    temporal: { ...temporal, taskQueue },
    max,
    onProblem: (err) => log.error({ err }, 'error in an isolation thread or process'),
  });
}
