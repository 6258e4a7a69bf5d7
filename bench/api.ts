import { pino } from 'pino';
import { createApi } from '../src/api/app.ts';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import { createModels } from '../src/models/models.ts';
import { startHttpServer } from '../src/runtime/http-server.ts';
import type { Db } from '../src/store/database.ts';
import type { BenchSystem } from './system.ts';

export interface BenchApi {
  reembed: ReembedClient;
  url: string;
  stop(): Promise<void>;
}

/** Starts the HTTP API in this process. */
export async function startBenchApi(
  { client, taskQueue }: Pick<BenchSystem, 'client' | 'taskQueue'>,
  db: Db,
): Promise<BenchApi> {
  const models = createModels({ env: {} });
  const app = createApi({ db, client, models, taskQueue, log: pino({ enabled: false }) });
  const server = await startHttpServer({ fetch: app.fetch, host: '127.0.0.1', port: 0, anyPort: true });
  return { reembed: createClient({ baseUrl: server.url }), url: server.url, stop: () => server.stop(1_000) };
}
