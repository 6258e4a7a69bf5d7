import './quiet.ts';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import pino from 'pino';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { MODEL_PATIENCE_MS } from '../../src/activities/running.ts';
import { encryptedData } from '../../src/client/temporal/encryption/data-converter.ts';
import type { EncryptionKey } from '../../src/client/temporal/encryption/keys.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import type { IndexConfigInput } from '../../src/contract/indexes.ts';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import type { ModelConfig } from '../../src/contract/models.ts';
import { QUERY, SEARCH_ATTRIBUTES, WORKFLOW } from '../../src/contract/names.ts';
import type { TaskType, Tracker } from '../../src/contract/tasks.ts';
import { HAND_OVER_VERSION, type HandOver, type TaskInputs } from '../../src/contract/workflow-inputs.ts';
import { createModels } from '../../src/models/models.ts';
import { createLoader } from '../../src/pipeline/load.ts';
import type { JobsOptions } from '../../src/runtime/job-workers.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { createTaskControl } from '../../src/runtime/task-control.ts';
import { createWorkers, type Workers } from '../../src/runtime/worker.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { type Db, transaction } from '../../src/store/database.ts';
import { ensureIndex } from '../../src/store/indexes.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { encryptedBundle, workflowBundle } from './bundle.ts';

export const silentLog = pino({ level: 'silent' });
const WORKFLOW_OF: Record<TaskType, string> = {
  upsert: WORKFLOW.upsert,
  delete: WORKFLOW.delete,
  reindex: WORKFLOW.reindex,
  'reindex-slice': WORKFLOW.reindexSlice,
  'delete-index': WORKFLOW.deleteIndex,
  job: WORKFLOW.job,
  steer: WORKFLOW.steer,
};
/** Numbers of the types of search attributes on the wire. */
const TYPE_NUMBERS = { TEXT: 1, KEYWORD: 2, INT: 3, DOUBLE: 4, BOOL: 5, DATETIME: 6, KEYWORD_LIST: 7 } as const;
let bundle: Promise<WorkflowBundle> | undefined;

/** A real Temporal server: the dev server, or the one whose clock runs ahead while nothing happens. */
export async function startTemporal(
  kind: 'dev' | 'time-skipping',
  options: { dynamicConfig?: string[] } = {},
): Promise<TestWorkflowEnvironment> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const searchAttributes = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) =>
    defineSearchAttributeKey(name, type),
  );
  if (kind === 'dev') {
    const path = await findServer('temporal-cli', { env: process.env, say });
    return TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        searchAttributes,
        extraArgs: [
          'history.transferProcessorMaxPollRPS=2000',
          'history.timerProcessorMaxTimeShift="1ms"',
          ...(options.dynamicConfig ?? []),
        ].flatMap((value) => ['--dynamic-config-value', value]),
      },
    });
  }
  const path = await findServer('temporal-test-server', { env: process.env, say });
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  for (const key of searchAttributes) {
    await environment.connection.operatorService.addSearchAttributes({
      namespace: environment.namespace ?? 'default',
      searchAttributes: { [key.name]: TYPE_NUMBERS[key.type] },
    });
  }
  return environment;
}

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
  /** Starts a task and waits for its end; answers with its tracker however it ended. */
  run<T extends TaskType>(
    type: T,
    input: TaskInputs[T],
    taskId?: string,
    given?: Omit<HandOver, 'v'>,
  ): Promise<Tracker>;
  stop(): Promise<void>;
}

/** The tracker of a task, once it fits. */
export async function trackerWhen(handle: WorkflowHandle, fits: (tracker: Tracker) => boolean): Promise<Tracker> {
  for (const endMs = Date.now() + 20_000; ; ) {
    const tracker = await handle.query<Tracker>(QUERY.tracker);
    if (fits(tracker)) return tracker;
    if (Date.now() > endMs) throw new Error(`the tracker never fitted: ${JSON.stringify(tracker)}`);
    await delay(20);
  }
}

/** Waits for the end of a workflow, however it ends, and answers with its tracker. */
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
  taskQueue?: string;
  shutdownGraceMs?: number;
  maxCachedWorkflows?: number;
  maxEmbedActivities?: number;
  /** Of its own, for a second rig on the same queue: one connection has one worker of a queue. */
  connection?: NativeConnection;
  /** Payloads are encrypted if given. */
  encryptionKeys?: readonly EncryptionKey[];
  /** Tasks of the user's own. */
  jobs?: Omit<JobsOptions, 'client' | 'log'>;
}

/** Real workers with the real activities, on a task queue of their own. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { environment, db } = options;
  const taskQueue = options.taskQueue ?? `test-${randomUUID()}`;
  const { encryptionKeys } = options;
  if (!encryptionKeys) bundle ??= workflowBundle();
  const workflows = encryptionKeys ? await encryptedBundle() : await bundle;
  const client = encryptionKeys ? encryptedClient(environment, encryptionKeys) : environment.client;
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
      },
      loader: createLoader({ fileRoots: [], allowPrivateAddresses: true, timeoutMs: 5_000 }),
      log: silentLog,
      client,
      tasks: createTaskControl(client),
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
    client.workflow.start(WORKFLOW_OF[type], {
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

/** A client that encrypts with the first of the keys. */
export function encryptedClient(environment: TestWorkflowEnvironment, keys: readonly EncryptionKey[]): Client {
  const { connection, namespace } = environment;
  return new Client({ connection, namespace: namespace ?? 'default', dataConverter: encryptedData(keys) });
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
