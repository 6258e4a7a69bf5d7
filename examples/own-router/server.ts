/**
 * Your own Hono app that serves the task routes itself, at its own paths and with its own response format. It needs
 * only workers, no separate reembed API.
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

/** This service's response for a task. It is validated by the schema, which is also shown in OpenAPI. */
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
// Allows only loopback host names; for another name: requireHost({ names: ['vectors.example.org'] }).
app.use(requireHost());
// Callers need a token with a sufficient role.
app.use(auth({ tokens, access }));
app.get('/', (c) => c.text('my service'));
// Each path has run, info, list, cancel, restart, pause, resume, ignore, failed-items and events below it.
app.route('/documents', createTaskRouter({ client, db, taskQueue, type: 'upsert', respond }));
app.route('/rebuilds', createTaskRouter({ client, db, taskQueue, type: 'reindex', respond }));

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 8080) }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);

process.once('SIGTERM', async () => {
  server.close();
  await db.destroy();
});
