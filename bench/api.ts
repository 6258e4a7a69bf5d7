import { pino } from 'pino';
import { createApi } from '../src/api/app.ts';
import { createClient, type ReembedClient } from '../src/client/http/client.ts';
import { createModels } from '../src/models/models.ts';
import { startHttpServer } from '../src/runtime/http-server.ts';
import { clientOn } from '../src/runtime/temporal-connection.ts';
import type { Db } from '../src/store/database.ts';
import type { BenchSystem } from './system.ts';

export interface BenchApi {
  reembed: ReembedClient;
  url: string;
  stop(): Promise<void>;
}

/** The HTTP API over a system, in the same process and on its workers' connection, as `reembed dev` has it. */
export async function startBenchApi({ connection, taskQueue }: BenchSystem, db: Db): Promise<BenchApi> {
  const client = clientOn(connection, { namespace: 'default', encryptionKeys: [] });
  const models = createModels({ env: {} });
  const app = createApi({ db, client, models, taskQueue, log: pino({ enabled: false }) });
  const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, anyPort: true });
  return { reembed: createClient({ baseUrl: server.url }), url: server.url, stop: () => server.stop(1_000) };
}
