import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { SEARCH_ATTRIBUTES } from '../src/contract/names.ts';
import { activityDependencies, createProcessModels } from '../src/runtime/parts.ts';
import { startTemporalDevServer } from '../src/runtime/servers/temporal.ts';
import { readSettings } from '../src/runtime/settings.ts';
import { bundleWorkflows, createWorkers } from '../src/runtime/worker.ts';
import type { Db } from '../src/store/database.ts';

export interface BenchSystem {
  client: Client;
  /** That of the workers. */
  connection: NativeConnection;
  address: string;
  taskQueue: string;
  stop(): Promise<void>;
}

/**
 * Temporal's dev server on a database file, as `reembed dev` has it, and the workers in this process. `env` holds
 * settings other than those of the environment.
 */
export async function startBenchSystem(
  db: Db,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = {},
): Promise<BenchSystem> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'reembed-bench-temporal-'));
  const server = await startTemporalDevServer({
    dbFilename: path.join(folder, 'temporal.db'),
    searchAttributes: SEARCH_ATTRIBUTES,
    env: process.env,
    say,
  });
  const { address, namespace } = server;
  const connection = await NativeConnection.connect({ address });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const settings = readSettings({ ...process.env, ...env });
  const log = pino({ enabled: false });
  const workers = await createWorkers({
    connection,
    namespace,
    taskQueue: settings.taskQueue,
    workflowBundle: await bundleWorkflows(),
    dependencies: activityDependencies({ settings, db, client, models: createProcessModels(settings, db), log }),
  });
  const running = workers.run();
  return {
    client,
    connection,
    address,
    taskQueue: settings.taskQueue,
    async stop() {
      workers.shutdown();
      await running;
      await connection.close();
      await client.connection.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
