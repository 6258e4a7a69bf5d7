import type { Server } from 'node:http';
import { type ServerType, serve } from '@hono/node-server';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { type ApiDependencies, createApi } from '../../src/api/app.ts';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { createModels } from '../../src/models/models.ts';
import type { Db } from '../../src/store/database.ts';
import { openPostgresDatabase, type TestDatabase } from './databases.ts';
import { type Rig, type RigOptions, silentLog, startRig, startTemporal } from './rig.ts';

export interface System {
  /** Address of the API. */
  url: string;
  reembed: ReembedClient;
  environment: TestWorkflowEnvironment;
  database: TestDatabase;
  rig: Rig;
  /** Another API over the same servers, or over another connection to the database. */
  listen(settings?: ApiDependencies['settings'], other?: { db: Db }): Promise<string>;
  /** Stops the workers; the result starts new ones. */
  stopWorkers(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** The whole system: a Temporal dev server, a database, real workers and an API that listens. */
export async function startSystem(
  options: Pick<RigOptions, 'embedder' | 'jobs'> & {
    api?: ApiDependencies['settings'];
    open?: () => Promise<TestDatabase>;
  } = {},
): Promise<System> {
  const servers: ServerType[] = [];
  const environment = await startTemporal('dev');
  const database = await (options.open ?? openPostgresDatabase)();
  const begin = (taskQueue?: string) =>
    startRig({ environment, db: database.db, embedder: options.embedder, jobs: options.jobs, taskQueue });
  const rig = await begin();
  let running: Rig | undefined = rig;
  const listen: System['listen'] = async (own, { db } = database) => {
    const settings = { ...options.api, ...own };
    const { client } = environment;
    const models = createModels({ env: {} });
    const app = createApi({ db, client, models, taskQueue: rig.taskQueue, log: silentLog, settings });
    const server = await new Promise<ServerType>((resolve) => {
      const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made));
    });
    servers.push(server);
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  };
  const url = await listen();
  return {
    url,
    reembed: createClient({ baseUrl: url }),
    environment,
    database,
    rig,
    listen,
    async stopWorkers() {
      await running?.stop();
      running = undefined;
      return async () => {
        running = await begin(rig.taskQueue);
      };
    },
    async stop() {
      for (const server of servers) {
        (server as Server).closeAllConnections();
        server.close();
      }
      await running?.stop();
      await environment.teardown();
      await database.close();
    },
  };
}
