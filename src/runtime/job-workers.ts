import { hostname } from 'node:os';
import type { Client, ConnectionOptions } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createJobActivities } from '../activities/jobs.ts';
import { ReembedError } from '../contract/errors.ts';
import { admissionQueueOf, DEFAULT_QUEUE, jobQueueOf } from '../contract/names.ts';
import { queuesOf } from '../jobs/control.ts';
import { createIsolation, type Isolation } from '../jobs/isolation.ts';
import type { Registry } from '../jobs/registry.ts';
import type { TemporalSettings } from './temporal-settings.ts';

export interface JobsOptions {
  /** What these workers know. It is connected unless it is already, so that handlers can send jobs. */
  registry: Registry;
  /** The queues they serve: the default one and all that definitions name if not given. */
  queues?: readonly string[];
  /** Handlers of one queue that run at once in this process. */
  concurrency?: number;
  /** Most attempts of a queue that begin in a second, by all its workers together; the one started last says. */
  ratePerSecond?: Readonly<Record<string, number>>;
  /** Needed for the option `isolate`: the modules that define the tasks, and how to reach Temporal from within. */
  modules?: readonly string[];
  temporal?: Pick<TemporalSettings, 'connection' | 'namespace' | 'encryptionKeys'>;
  client: Client;
  log: Logger;
}

export interface JobWorkers {
  workers: Worker[];
  /** Ends their threads and processes, once they have stopped. */
  close(): Promise<void>;
}

const CONCURRENCY = 16;
/** Admission is short, and nobody should wait for it. */
const ADMISSIONS = 100;

/** Makes one worker on each queue of jobs, and one that admits jobs started without our client. */
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

function isolationOf({ modules, temporal, log }: JobsOptions, taskQueue: string, most: number): Isolation | undefined {
  if (!modules || !temporal) return undefined;
  return createIsolation({
    modules,
    temporal: { ...temporal, connection: temporal.connection as ConnectionOptions, taskQueue },
    most,
    onProblem: (err) => log.error({ err }, 'a thread or process of jobs'),
  });
}
