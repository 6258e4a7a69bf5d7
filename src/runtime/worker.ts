import { fileURLToPath } from 'node:url';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import {
  bundleWorkflowCode,
  type NativeConnection,
  Worker,
  type WorkerDeploymentOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import { type ActivityDependencies, createActivities } from '../activities/index.ts';
import { encryptedData, FAILURE_CONVERTER_PATH } from '../client/temporal/encryption/data-converter.ts';
import type { EncryptionKey } from '../client/temporal/encryption/keys.ts';
import { ReembedError } from '../contract/errors.ts';
import { embedQueueOf } from '../contract/names.ts';
import { taskEventSinks } from '../metrics/tasks.ts';
import { traceActivities } from '../tracing/temporal.ts';
import { createJobWorkers, type JobsOptions } from './job-workers.ts';

export interface WorkersOptions {
  connection: NativeConnection;
  namespace: string;
  /** What payloads are encrypted with; they are not without one. The bundle must be made for it too. */
  encryptionKeys?: readonly EncryptionKey[];
  /** The queue of workflows and control activities; embedding has its own beside it. */
  taskQueue: string;
  /** Needed by all roles but `jobs`. */
  dependencies?: ActivityDependencies;
  /** Needed by the roles `all` and `control`. */
  workflowBundle?: WorkflowBundle;
  /** What these workers do; a process may be given embedding or jobs alone. */
  role?: 'all' | 'control' | 'embed' | 'jobs';
  /** The user's own tasks, for the roles `all` and `jobs`. */
  jobs?: JobsOptions;
  /** What Temporal is to know these workers as, all of their queues; they take any task without one. */
  version?: WorkerDeploymentVersion | undefined;
  /** Embed activities at once. */
  maxEmbedActivities?: number;
  /** Workflows kept in memory between their tasks; of the others each task begins with a replay. */
  maxCachedWorkflows?: number;
  /** How long running activities may go on after a stop is asked for. */
  shutdownGraceMs?: number;
}

export interface Workers {
  /** Resolves when all have stopped; rejects when one broke down. */
  run(): Promise<void>;
  /** Stops taking work and lets what runs come to an end. */
  shutdown(): void;
  states(): string[];
}

/** Bundles the workflow code once, for encrypted payloads or others; give the bundle to every worker of the process. */
export async function bundleWorkflows({ encrypted = false } = {}): Promise<WorkflowBundle> {
  // From the sources it is index.ts, from the built package index.js.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)),
    workflowInterceptorModules: [fileURLToPath(new URL(`../workflows/trace-context.${extension}`, import.meta.url))],
    failureConverterPath: encrypted ? FAILURE_CONVERTER_PATH : undefined,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}

/**
 * Every workflow moves to the version that is current with its next workflow task. Any task may be paused, wait or back off
 * for days: one that stayed on its version would keep the old workers running for as long. That the code of today
 * goes on with what earlier code has begun is what the saved histories prove.
 */
function deploymentOptions(version: WorkerDeploymentVersion): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}

/**
 * The SDK breaks off workflow code after 5 s by the clock, which ends the process ("async hook stack has become
 * corrupted"). A process that was frozen, or a machine that is busy, takes longer; the code itself takes milliseconds. The
 * option is not in the types of the SDK.
 */
const WORKFLOW_CODE = { isolateExecutionTimeout: '10 minutes' };

/** Makes the workers of a process: one on the control queue, one on the embed queue, one on each queue of jobs. */
export async function createWorkers(options: WorkersOptions): Promise<Workers> {
  const { connection, namespace, taskQueue, workflowBundle, role = 'all', jobs } = options;
  const common = {
    connection,
    namespace,
    dataConverter: encryptedData(options.encryptionKeys ?? []),
    interceptors: { activity: [traceActivities] },
    shutdownGraceTime: options.shutdownGraceMs ?? 10_000,
    shutdownForceTime: (options.shutdownGraceMs ?? 10_000) + 10_000,
    // A cancellation reaches an activity with the answer to a heartbeat: send them on, rather than hold them back for
    // most of the heartbeat timeout.
    maxHeartbeatThrottleInterval: '1 s',
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
      workers.push(await Worker.create({ ...common, ...workflows, activities: control }));
    }
    if (role !== 'control') {
      workers.push(
        await Worker.create({
          ...common,
          taskQueue: embedQueueOf(taskQueue),
          activities: { ...activities.embed },
          maxConcurrentActivityTaskExecutions: options.maxEmbedActivities ?? 16,
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
