import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { activityDependencies, createProcessModels } from '../src/runtime/wiring.ts';
import { createWorkers } from '../src/runtime/worker.ts';
import { bundleWorkflows } from '../src/runtime/workflow-bundle.ts';
import { readSettings } from '../src/settings/settings.ts';
import type { BenchDatabase } from './database.ts';
import { startBenchTemporal } from './temporal.ts';

export interface BenchSystem {
  client: Client;
  /** The connection of the workers. */
  connection: NativeConnection;
  address: string;
  taskQueue: string;
  stop(): Promise<void>;
}

/**
 * Starts Temporal's dev server on a database file, like `reembed dev`, and the workers in this process. `env` overrides
 * settings of the environment.
 */
export async function startBenchSystem(
  { db, background }: Pick<BenchDatabase, 'db' | 'background'>,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = {},
): Promise<BenchSystem> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const server = await startBenchTemporal(say);
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
    dependencies: activityDependencies({
      settings,
      db,
      background,
      client,
      models: createProcessModels(settings, background),
      log,
    }),
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
    },
  };
}
