import './quiet.ts';
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import pino from 'pino';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { MODEL_PATIENCE_MS } from '../../src/activities/support/patience.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import { HAND_OVER_VERSION, type HandOver } from '../../src/contract/hand-over.ts';
import { type IndexConfigInput, indexConfigSchema } from '../../src/contract/indexes.ts';
import type { ModelConfig } from '../../src/contract/models.ts';
import { QUERY } from '../../src/contract/names.ts';
import { factsOf, type TaskType } from '../../src/contract/task-types.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import type { TaskInputs } from '../../src/contract/workflow-inputs.ts';
import { createModels } from '../../src/models/models.ts';
import { createLoader } from '../../src/pipeline/load.ts';
import type { JobsOptions } from '../../src/runtime/job-workers.ts';
import { createTaskSteerer } from '../../src/runtime/task-steerer.ts';
import { createWorkers, type Workers } from '../../src/runtime/worker.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { type Db, transaction } from '../../src/store/database.ts';
import { ensureIndex } from '../../src/store/indexes.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { SourceDatabases } from '../../src/store/sources/databases.ts';
import { createTemporalClient } from '../../src/temporal/connect.ts';
import type { EncryptionKey } from '../../src/temporal/encryption/keys.ts';
import { workflowBundle } from './bundle.ts';
import { seenWhen } from './eventually.ts';

export { startTemporal } from './temporal.ts';

export const silentLog = pino({ level: 'silent' });
let bundle: Promise<WorkflowBundle> | undefined;

export interface Rig {
  environment: TestWorkflowEnvironment;
  db: Db;
  /** With the keys of the rig, if it has any. */
  client: Client;
  taskQueue: string;
  workers: Workers;
  start<T extends TaskType>(
    type: T,
    input: TaskInputs[T],
    taskId?: string,
    given?: Omit<HandOver, 'v'>,
  ): Promise<WorkflowHandle>;
  /** Starts a task and waits for its end; returns its tracker, whatever the result. */
  run<T extends TaskType>(
    type: T,
    input: TaskInputs[T],
    taskId?: string,
    given?: Omit<HandOver, 'v'>,
  ): Promise<Tracker>;
  stop(): Promise<void>;
}

/** The tracker of a task, once it matches. */
export async function trackerWhen(handle: WorkflowHandle, fits: (tracker: Tracker) => boolean): Promise<Tracker> {
  return seenWhen(() => handle.query<Tracker>(QUERY.tracker), fits, 'the tracker');
}

/** Waits for the end of a workflow, whatever the result, and returns its tracker. */
export async function endOf(handle: WorkflowHandle): Promise<Tracker> {
  await handle.result().catch((error: unknown) => {
    if (!(error instanceof WorkflowFailedError)) throw error;
  });
  return handle.query<Tracker>(QUERY.tracker);
}

export interface RigOptions {
  environment: TestWorkflowEnvironment;
  db: Db;
  /** Replaces the embedders, to make them fail. */
  embedder?: (config: ModelConfig, usual: Embedder) => Embedder;
  settings?: Partial<ActivityDependencies['settings']>;
  /** Replaces the waits between the tries of a load. */
  sleep?: ActivityDependencies['sleep'];
  taskQueue?: string;
  shutdownGraceMs?: number;
  maxCachedWorkflows?: number;
  maxEmbedActivities?: number;
  /** A separate connection, for a second rig on the same queue: one connection has one worker of a queue. */
  connection?: NativeConnection;
  /** Address of the database, for sessions that listen to the tables of sources. */
  databaseUrl?: string;
  /** Databases of sources by the names of their variables. */
  sourceUrls?: Readonly<Record<string, string>>;
  /** A database of a source that has not answered for so long is away. */
  sourceSilentMs?: number;
  /** Keys to encrypt payloads; default: no encryption. */
  encryptionKeys?: readonly EncryptionKey[];
  /** The user's own tasks. */
  jobs?: Omit<JobsOptions, 'client' | 'log'>;
}

/** Real workers with the real activities, on a separate task queue. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { environment, db } = options;
  const taskQueue = options.taskQueue ?? `test-${randomUUID()}`;
  const { encryptionKeys } = options;
  if (!encryptionKeys) bundle ??= workflowBundle();
  const workflows = encryptionKeys ? await workflowBundle({ encrypted: true }) : await bundle;
  const client = clientOf(environment, encryptionKeys);
  const models = createModels({ env: process.env });
  const workers = await createWorkers({
    connection: options.connection ?? environment.nativeConnection,
    namespace: environment.namespace ?? 'default',
    taskQueue,
    workflowBundle: workflows,
    encryptionKeys,
    shutdownGraceMs: options.shutdownGraceMs ?? 500,
    maxCachedWorkflows: options.maxCachedWorkflows,
    maxEmbedActivities: options.maxEmbedActivities,
    jobs: options.jobs && { client, log: silentLog, ...options.jobs },
    dependencies: {
      db,
      background: db,
      models: {
        embedder: (config) => options.embedder?.(config, models.embedder(config)) ?? models.embedder(config),
        batches: (config) => models.batches?.(config),
      },
      loader: createLoader({ fileRoots: [], allowPrivateAddresses: true, timeoutMs: 5_000 }),
      sleep: options.sleep,
      log: silentLog,
      client,
      tasks: createTaskSteerer(client),
      sources: new SourceDatabases({
        db,
        url: options.databaseUrl ?? null,
        allowed: Object.keys(options.sourceUrls ?? {}),
        env: options.sourceUrls ?? {},
        ...(options.sourceSilentMs !== undefined && { silentMs: options.sourceSilentMs }),
      }),
      cancelWorkflow: async (workflowId, runId) => {
        await client.workflow.getHandle(workflowId, runId).cancel();
      },
      isTaskKnown: async () => true,
      isStagingUsed: async () => true,
      settings: {
        tombstoneRetentionSeconds: 0,
        maxConcurrentReindexes: 2,
        sliceObjects: 10_000,
        copyShare: 1,
        // An activity waits in real time, which a clock that runs ahead does not shorten.
        modelPatienceMs: environment.supportsTimeSkipping ? 0 : MODEL_PATIENCE_MS,
        indexMemoryMb: 64,
        vectorIndexAfterParts: 5_000,
        ...options.settings,
      },
    },
  });
  const running = workers.run();
  running.catch(() => {});
  const start: Rig['start'] = (type, input, taskId = `${type}-${randomUUID()}`, given) =>
    client.workflow.start(factsOf(type).workflow, {
      workflowId: taskId,
      taskQueue,
      args: given ? [input, { v: HAND_OVER_VERSION, ...given }] : [input],
    });
  return {
    environment,
    db,
    client,
    taskQueue,
    workers,
    start,
    run: async (...args) => endOf(await start(...args)),
    async stop() {
      workers.shutdown();
      await running;
    },
  };
}

/**
 * A client as that of a process; with keys, it encrypts with the first of them. On a server that skips time, it is that of
 * the environment: only this one lets time pass while it waits for a result.
 */
export function clientOf(environment: TestWorkflowEnvironment, encryptionKeys: readonly EncryptionKey[] = []): Client {
  const { connection, namespace } = environment;
  if (environment.supportsTimeSkipping && encryptionKeys.length === 0) return environment.client;
  return createTemporalClient(connection, { namespace: namespace ?? 'default', encryptionKeys });
}

/** An index of the built-in `hash` model, with an alias if one is named. */
export async function givenIndex(
  db: Db,
  name: string,
  options: { alias?: string; config?: Partial<IndexConfigInput> } = {},
): Promise<IndexRow> {
  const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions: 32 }, ...options.config });
  const { index } = await transaction(db, (trx) => ensureIndex(trx, name, config));
  if (options.alias) await setAlias(db, options.alias, name);
  return index;
}
