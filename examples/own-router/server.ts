/**
 * A Hono app of your own that serves the calls about tasks itself, at its own paths and with its own form of answers.
 * It needs no reembed API beside it, only workers.
 *
 *   export REEMBED_API_TOKENS=ann:operate:$(openssl rand -hex 24)
 *   TEMPORAL_ADDRESS=127.0.0.1:7233 DATABASE_URL=postgres://… PORT=8080 npx tsx examples/own-router/server.ts
 *   curl -X POST http://127.0.0.1:8080/documents/run -H "authorization: Bearer ${REEMBED_API_TOKENS##*:}" \
 *     -H 'content-type: application/json' \
 *     -d '{"index": "docs", "items": [{"id": "a", "payload": "a lion sleeps"}]}'
 */
import { serve } from '@hono/node-server';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Hono } from 'hono';
import {
  auth,
  createTaskRouter,
  openDatabase,
  readApiTokens,
  requireHost,
  type TaskResponse,
  type Tracker,
  taskAccess,
} from 'reembed/api';
import { z } from 'zod';

const { connectionOptions, namespace } = loadClientConnectConfig();
const client = new Client({ connection: await Connection.connect(connectionOptions), namespace });
const db = openDatabase({ url: process.env.DATABASE_URL });
const taskQueue = process.env.REEMBED_TASK_QUEUE ?? 'reembed';

/** What this service tells of a task, in its own words. The schema checks it, and is what OpenAPI shows. */
const jobSchema = z.object({ job: z.string(), finished: z.boolean(), percent: z.number(), message: z.string() });
const respond: TaskResponse<typeof jobSchema> = {
  schema: jobSchema,
  convert: ({ id, status, progress, detail }: Tracker) => ({
    job: id,
    finished: status === 'done',
    percent: progress.total === 0 ? 0 : Math.floor((100 * progress.done) / progress.total),
    message: detail,
  }),
};

const tokens = readApiTokens(process.env);
if (tokens.length === 0) throw new Error('set REEMBED_API_TOKENS');
const access = { 'GET /': 'open', ...taskAccess('/documents'), ...taskAccess('/rebuilds') } as const;

const app = new Hono();
// By loopback names alone; with a name of its own: requireHost({ names: ['vectors.example.org'] }).
app.use(requireHost());
// Whoever calls needs a token whose role is enough.
app.use(auth({ tokens, access }));
app.get('/', (c) => c.text('my service'));
// Each has run, info, list, cancel, restart, pause, resume, ignore, failed-items and events below it.
app.route('/documents', createTaskRouter({ client, db, taskQueue, type: 'upsert', respond }));
app.route('/rebuilds', createTaskRouter({ client, db, taskQueue, type: 'reindex', respond }));

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 8080) }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);

process.once('SIGTERM', async () => {
  server.close();
  await db.destroy();
});
