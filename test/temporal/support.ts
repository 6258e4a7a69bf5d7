import '../support/quiet.ts';
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { pino } from 'pino';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import { createModels } from '../../src/models/models.ts';
import { createLoader } from '../../src/pipeline/load.ts';
import { createTaskSteerer } from '../../src/runtime/task-steerer.ts';
import { createWorkers } from '../../src/runtime/worker.ts';
import { type Db, transaction } from '../../src/store/database.ts';
import { ensureIndex } from '../../src/store/indexes.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { SourceDatabases } from '../../src/store/sources/databases.ts';
import { workflowBundle } from '../support/bundle.ts';
import { openPostgresDatabase } from '../support/databases.ts';
import { startTemporal } from '../support/temporal.ts';

export { eventually } from '../support/eventually.ts';

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A separate namespace and database, and workers that can be started and stopped. */
export async function openWorld() {
  const [environment, database, bundle] = await Promise.all([
    startTemporal('dev'),
    openPostgresDatabase(),
    workflowBundle(),
  ]);
  const { client } = environment;
  const { db } = database;
  const taskQueue = 'reembed';
  const running = new Set<() => Promise<void>>();

  /** Starts workers; returns a function that stops them. */
  async function startWorkers(options: { queue?: string } = {}): Promise<() => Promise<void>> {
    const workers = await createWorkers(workersOptions(environment, db, bundle, options.queue ?? taskQueue));
    const run = workers.run();
    const stop = async () => {
      running.delete(stop);
      workers.shutdown();
      await run;
    };
    running.add(stop);
    return stop;
  }

  return {
    client,
    environment,
    db,
    taskQueue,
    startWorkers,
    async close() {
      await Promise.all([...running].map((stop) => stop()));
      await database.close();
      await environment.teardown();
    },
  };
}

function workersOptions(
  environment: TestWorkflowEnvironment,
  db: Db,
  workflowBundle: WorkflowBundle,
  taskQueue: string,
) {
  return {
    connection: environment.nativeConnection,
    namespace: environment.namespace ?? 'default',
    taskQueue,
    workflowBundle,
    shutdownGraceMs: 1_000,
    dependencies: {
      db,
      background: db,
      models: createModels({ env: process.env }),
      loader: createLoader({ fileRoots: [], allowPrivateAddresses: false, timeoutMs: 5_000 }),
      log: pino({ enabled: false }),
      client: environment.client,
      tasks: createTaskSteerer(environment.client),
      sources: new SourceDatabases({ db, url: null, allowed: [], env: {} }),
      isTaskKnown: async () => true,
      isStagingUsed: async () => true,
      cancelWorkflow: async (workflowId: string, runId: string) => {
        await environment.client.workflow.getHandle(workflowId, runId).cancel();
      },
      settings: {
        maxConcurrentReindexes: 4,
        sliceObjects: 10_000,
        copyShare: 1,
        modelPatienceMs: 0,
        indexMemoryMb: 64,
        vectorIndexAfterParts: 10_000,
        tombstoneRetentionSeconds: 604_800,
      },
    },
  };
}

/** A new small index. */
export async function makeIndex(
  db: Db,
  options: { name?: string; versioning?: 'internal' | 'external' } = {},
): Promise<IndexRow> {
  const { name = uniqueName('index'), versioning } = options;
  const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions: 8 }, versioning });
  return (await transaction(db, (trx) => ensureIndex(trx, name, config))).index;
}

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}
