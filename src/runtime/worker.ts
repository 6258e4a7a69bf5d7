import type { WorkerDeploymentVersion } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerDeploymentOptions, type WorkflowBundle } from '@temporalio/worker';
import { type ActivityDependencies, createActivities } from '../activities/index.ts';
import { ReembedError } from '../contract/errors.ts';
import { HEARTBEAT, STICKY_TIMEOUT_MS } from '../contract/heartbeats.ts';
import { embedQueueOf, sourceQueueOf } from '../contract/names.ts';
import { taskEventSinks } from '../metrics/tasks.ts';
import { encryptedData } from '../temporal/encryption/data-converter.ts';
import type { EncryptionKey } from '../temporal/encryption/keys.ts';
import { traceActivities } from '../tracing/temporal.ts';
import { createJobWorkers, type JobsOptions } from './job-workers.ts';

export interface WorkersOptions {
  connection: NativeConnection;
  namespace: string;
  /** Keys for payload encryption; default: none. The workflow bundle must match. */
  encryptionKeys?: readonly EncryptionKey[];
  /** The queue of workflows and control activities; the embed queue's name is derived from it. */
  taskQueue: string;
  /** Needed by all roles but `jobs`. */
  dependencies?: ActivityDependencies;
  /** Needed by the roles `all` and `control`. */
  workflowBundle?: WorkflowBundle;
  /** What these workers do; a process can run only embedding or only jobs. Default: `all`. */
  role?: 'all' | 'control' | 'embed' | 'jobs';
  /** The user's tasks, for the roles `all` and `jobs`. */
  jobs?: JobsOptions;
  /** Deployment version of these workers on all queues; without it, they are unversioned. */
  version?: WorkerDeploymentVersion | undefined;
  /** Max. concurrent embed activities. */
  maxEmbedActivities?: number;
  /** Max. workflows kept in memory between workflow tasks; others are replayed at each task. */
  maxCachedWorkflows?: number;
  /** How long running activities may continue after a stop request. */
  shutdownGraceMs?: number;
}

export interface Workers {
  /** Runs the workers. Resolves when all have stopped; rejects if one failed. */
  run(): Promise<void>;
  /** Stops polling for work and lets running work finish. */
  shutdown(): void;
  states(): string[];
}

/**
 * Each workflow moves to the current version with its next workflow task. A task may be paused, wait or back off for
 * days: if it stayed on its version, the old workers would have to run that long. The tests with saved histories verify
 * that current code continues the workflows of earlier code.
 */
function deploymentOptions(version: WorkerDeploymentVersion): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}

/**
 * The SDK aborts workflow code after 5 s of wall-clock time, which ends the process ("async hook stack has become
 * corrupted"). The code itself takes milliseconds, but longer if the process was frozen or the machine is busy. The
 * SDK's types lack this option.
 */
const WORKFLOW_CODE = { isolateExecutionTimeout: '10 minutes' };

/** Max. sources that one process follows. */
const MAX_SOURCES = 100;

/**
 * Creates the workers of a process: one for the control queue, those for the embed queue and the sources, one for each
 * job queue.
 */
export async function createWorkers(options: WorkersOptions): Promise<Workers> {
  const { connection, namespace, taskQueue, workflowBundle, role = 'all', jobs } = options;
  const common = {
    connection,
    namespace,
    dataConverter: encryptedData(options.encryptionKeys ?? []),
    interceptors: { activity: [traceActivities] },
    shutdownGraceTime: options.shutdownGraceMs ?? 10_000,
    shutdownForceTime: (options.shutdownGraceMs ?? 10_000) + 10_000,
    // The SDK keeps heartbeats back for most of their timeout by default. An activity learns of a cancellation from the
    // response to one, and a late one looks like a dead worker.
    maxHeartbeatThrottleInterval: HEARTBEAT.everyMs,
    workerDeploymentOptions: options.version && deploymentOptions(options.version),
  };
  const workers: Worker[] = [];
  if (role !== 'jobs') {
    if (!options.dependencies) throw new ReembedError('Internal', `workers of the role ${role} need dependencies`);
    const activities = createActivities(options.dependencies);
    if (role !== 'embed') {
      const control = { ...activities.control };
      const { maxCachedWorkflows } = options;
      const sinks = taskEventSinks(options.dependencies.metrics);
      const workflows = { taskQueue, workflowBundle, maxCachedWorkflows, sinks, ...WORKFLOW_CODE };
      const stickyQueueScheduleToStartTimeout = STICKY_TIMEOUT_MS;
      workers.push(
        await Worker.create({ ...common, ...workflows, stickyQueueScheduleToStartTimeout, activities: control }),
      );
    }
    if (role !== 'control') {
      workers.push(
        await Worker.create({
          ...common,
          taskQueue: embedQueueOf(taskQueue),
          activities: { ...activities.embed },
          maxConcurrentActivityTaskExecutions: options.maxEmbedActivities ?? 16,
        }),
        await Worker.create({
          ...common,
          taskQueue: sourceQueueOf(taskQueue),
          activities: { ...activities.sources },
          maxConcurrentActivityTaskExecutions: MAX_SOURCES,
          // Following never ends by itself, and continues elsewhere at once.
          shutdownGraceTime: 0,
        }),
      );
    }
  }
  const jobWorkers =
    jobs && (role === 'all' || role === 'jobs') ? await createJobWorkers(common, taskQueue, jobs) : undefined;
  workers.push(...(jobWorkers?.workers ?? []));
  const shutdown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    async run() {
      try {
        await Promise.all(workers.map((worker) => worker.run()));
      } finally {
        shutdown();
        await jobWorkers?.close();
      }
    },
    shutdown,
    states: () => workers.map((worker) => worker.getState()),
  };
}
