import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { openApiDatabases } from '../../src/runtime/database.ts';
import { openFurther } from '../../src/runtime/further-databases.ts';
import { keepRunning } from '../../src/runtime/lifecycle.ts';
import { runMigrations } from '../../src/runtime/processes/migrate.ts';
import { startApi } from '../../src/runtime/processes/start-api.ts';
import { startWorkers } from '../../src/runtime/processes/start-workers.ts';
import { createProcessModels } from '../../src/runtime/wiring.ts';
import { readSettings, type Settings } from '../../src/settings/settings.ts';
import { workflowBundle } from './bundle.ts';
import { DatabaseProxy } from './database-proxy.ts';
import { openPostgresDatabase, type TestDatabase } from './databases.ts';
import { silentLog, startTemporal } from './rig.ts';

export interface DatabasesSystem {
  url: string;
  reembed: ReembedClient;
  environment: TestWorkflowEnvironment;
  main: TestDatabase;
  east: TestDatabase;
  /** The way of all processes to `east`. */
  proxy: DatabaseProxy;
  settings: Settings;
  stop(): Promise<void>;
}

const context = () => ({ log: silentLog, say: () => {}, signal: new AbortController().signal });

/** An API and workers of a system with the databases main and east, as their processes start them. */
export async function startDatabasesSystem(): Promise<DatabasesSystem> {
  const [environment, main, east] = await Promise.all([
    startTemporal('dev'),
    openPostgresDatabase(),
    openPostgresDatabase(),
  ]);
  const proxy = await DatabaseProxy.start(east.url);
  const settings = readSettings({
    DATABASE_URL: main.url,
    REEMBED_DATABASES: 'east=EAST_DATABASE',
    EAST_DATABASE: proxy.url,
    REEMBED_PORT: '0',
    REEMBED_DATABASE_CONNECTIONS: '8',
    REEMBED_SHUTDOWN_SECONDS: '1',
  });
  await runMigrations(settings, context(), { toDistribute: false });
  const stopping = new AbortController();
  let ready = (_url: string) => {};
  const listens = new Promise<string>((resolve) => {
    ready = resolve;
  });
  const running = keepRunning({ ...context(), signal: stopping.signal }, async (components, own) => {
    const metrics = createMetrics(['api', 'worker']);
    const { db, background, close } = openApiDatabases(settings, silentLog);
    components.add('the database connections', close);
    const placed = openFurther(settings, { db, background }, { log: silentLog, forBackground: 2 });
    components.add('the connections of further databases', placed.close);
    const models = createProcessModels(settings, background);
    const { client, nativeConnection: connection, namespace = 'default' } = environment;
    const workers = { store: { placed, models }, role: 'all', encryptionKeys: [], connection, namespace } as const;
    await startWorkers(
      components,
      { settings, client, metrics, workflowBundle: await workflowBundle(), ...workers },
      own,
    );
    const api = { client, db, background, placed, models, metrics, anyPort: true, graceMs: 500 };
    ready(await startApi(components, { settings, ...api }, own));
  });
  const url = await Promise.race([listens, running.then(() => Promise.reject(new Error('ended')))]);
  return {
    ...{ url, environment, main, east, proxy, settings },
    reembed: createClient({ baseUrl: url }),
    async stop() {
      stopping.abort();
      await running;
      await proxy.stop();
      await environment.teardown();
      await Promise.all([main.close(), east.close()]);
    },
  };
}
