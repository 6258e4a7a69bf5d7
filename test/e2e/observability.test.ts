import '../support/quiet.ts';
import { networkInterfaces } from 'node:os';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { taskEventSinks } from '../../src/metrics/tasks.ts';
import { freePort } from '../../src/runtime/servers/ports.ts';
import { CliProcess } from '../cli/support.ts';
import { builtMain } from '../support/build.ts';
import { bundleWithoutTraces, workflowBundle } from '../support/bundle.ts';
import { type CollectedSpan, type Collector, startCollector } from '../support/collector.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { Exposition } from '../support/exposition.ts';
import { startTemporal } from '../support/rig.ts';

const TOKENS = { view: 'a-token-that-views-and-no-more', admin: 'a-token-of-an-admin-who-may-all' };
const MODEL = { provider: 'hash', dimensions: 16 } as const;

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let collector: Collector;
let processes: { worker: CliProcess; api: CliProcess };
let workerPort: number;
let apiUrl: string;
let reembed: ReembedClient;

/** A worker and an API in their own processes. */
beforeAll(async () => {
  [environment, database, collector, workerPort] = await Promise.all([
    startTemporal('dev'),
    openPostgresDatabase(),
    startCollector(),
    freePort('127.0.0.1'),
  ]);
  const env = {
    TEMPORAL_ADDRESS: environment.address,
    TEMPORAL_NAMESPACE: environment.namespace,
    DATABASE_URL: database.url,
    REEMBED_API_TOKENS: `grafana:view:${TOKENS.view},ann:admin:${TOKENS.admin}`,
    REEMBED_WORKER_METRICS_ADDRESS: String(workerPort),
    REEMBED_EVENT_STREAMS: '1',
    REEMBED_PORT: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  processes = {
    worker: new CliProcess(['worker'], env, [builtMain()]),
    api: new CliProcess(['api'], env, [builtMain()]),
  };
  await processes.worker.prints(/"msg":"worker runs"/);
  [, apiUrl = ''] = await processes.api.prints(/"url":"([^"]+)"/);
  reembed = createClient({ baseUrl: apiUrl, token: TOKENS.admin });
});
afterAll(async () => {
  await Promise.all(Object.values(processes ?? {}).map((one) => one.ends('SIGTERM')));
  collector?.close();
  await environment?.teardown();
  await database?.close();
});

const ofWorker = () => Exposition.of(`http://127.0.0.1:${workerPort}/metrics`);
const ofApi = () => Exposition.of(`${apiUrl}/metrics`, TOKENS.view);

test('the metrics of the API need a token with the role view, those of a worker the same machine', async () => {
  expect((await fetch(`${apiUrl}/metrics`)).status).toBe(401);
  expect((await ofApi()).sum('reembed_build_info')).toBe(1);
  expect((await ofWorker()).sum('reembed_build_info')).toBe(1);
  const outside = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of outside) {
    await expect(fetch(`http://${address}:${workerPort}/metrics`)).rejects.toThrow('fetch failed');
  }
});

test('tasks, items, copies and calls of models are counted where they run', async () => {
  await reembed.indexes.create('docs', { model: MODEL });
  const items = [
    { id: 'a', payload: 'a lion sleeps' },
    { id: 'b', payload: 'a ship at sea' },
    { id: 'c', uri: 'http://127.0.0.1:1/nowhere' },
  ];
  await reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
  await reembed.tasks.delete({ index: 'docs', ids: ['b'] }, { wait: true });
  const change = { source: 'docs', dest: 'docs-2', destModel: MODEL, reuse: false };
  const reindex = await reembed.tasks.reindex(change, { wait: true });
  expect(reindex.status).toBe('done');

  const worker = await ofWorker();
  for (const [type, count] of Object.entries({ upsert: 1, delete: 1, reindex: 1, 'reindex-slice': 1 })) {
    expect([type, worker.sum('reembed_tasks_finished_total', { type, status: 'done' })]).toEqual([type, count]);
    expect(worker.sum('reembed_task_duration_seconds_count', { type })).toBe(count);
    expect(worker.sum('reembed_task_attempts_total', { type })).toBe(count);
  }
  expect(worker.sum('reembed_items_total', { operation: 'upsert', outcome: 'embedded' })).toBe(2);
  expect(worker.sum('reembed_items_total', { operation: 'upsert', outcome: 'failed' })).toBe(1);
  expect(worker.sum('reembed_items_total', { operation: 'delete', outcome: 'deleted' })).toBe(1);
  expect(worker.sum('reembed_failed_items_total', { stage: 'load', reason: 'LoadRefused' })).toBe(1);
  expect(worker.sum('reembed_objects_copied_total', { by: 'slice', outcome: 'copied' })).toBe(1);
  expect(worker.sum('reembed_objects_copied_total', { by: 'slice', outcome: 'tombstone' })).toBe(1);
  expect(worker.sum('reembed_cut_over_drain_seconds_count', { outcome: 'done' })).toBe(1);
  expect(worker.sum('reembed_vector_index_build_seconds_count')).toBe(1);
  expect(worker.sum('reembed_model_calls_total', { provider: 'hash', outcome: 'ok' })).toBeGreaterThan(1);
  expect(worker.sum('reembed_model_texts_total', { provider: 'hash' })).toBeGreaterThanOrEqual(3);
  expect(worker.sum('reembed_database_connections_max')).toBe(20);
  expect(worker.sum('reembed_database_connections', { state: 'idle' })).toBeGreaterThan(0);
  // Metrics of Temporal's own core.
  expect(worker.sum('temporal_workflow_completed_total', { workflow_type: 'upsert' })).toBe(1);
  // Metrics of the API are not shown here.
  expect(worker.text).not.toMatch(/reembed_(http_|tasks_open)/);

  const api = await ofApi();
  expect(api.sum('reembed_http_requests_total', { route: '/v1/tasks/upsert/run', status: '200' })).toBe(1);
  expect(api.text).not.toContain('reembed_tasks_finished');
});

test('a lock, the rest of its reindex, open tasks, workers and streams are shown in their current state', async () => {
  const items = Array.from({ length: 40 }, (_, at) => ({ id: `o${at}`, payload: `object ${at}` }));
  await reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
  const slow = { source: 'docs', dest: 'docs-3', destModel: MODEL, ratePerSecond: 1, batchSize: 1 } as const;
  const { id } = await reembed.tasks.reindex(slow);
  await vi.waitFor(async () => expect((await reembed.tasks.info(id)).progress.total).toBeGreaterThan(0), 90_000);
  await reembed.tasks.pause(id);
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${TOKENS.view}` };
  const stream = await fetch(`${apiUrl}/v1/tasks/events?taskId=${id}`, { headers, signal: stop.signal });
  expect((await fetch(`${apiUrl}/v1/tasks/events?taskId=${id}`, { headers })).status).toBe(429);

  const pair = { source: 'docs', dest: 'docs-3' };
  // A value from a few seconds ago may be shown again.
  await vi.waitFor(
    async () => {
      const api = await ofApi();
      expect(api.sum('reembed_scrape_error')).toBe(0);
      expect(api.sum('reembed_tasks_open', { type: 'reindex', status: 'paused' })).toBe(1);
      expect(api.sum('reembed_lock_age_seconds', { ...pair, kind: 'reindex' })).toBeGreaterThan(0);
      expect(api.sum('reembed_lock_expires_in_seconds', pair)).toBeGreaterThan(800);
      expect(api.sum('reembed_lock_draining', pair)).toBe(0);
      expect(api.sum('reembed_reindex_remaining_objects', pair)).toBeGreaterThan(0);
      expect(api.sum('reembed_tombstones')).toBeGreaterThan(0);
      expect(api.sum('reembed_task_queue_pollers', { queue: 'control', kind: 'workflow' })).toBe(1);
      expect(api.sum('reembed_task_queue_backlog', { queue: 'embed' })).toBe(0);
      expect(api.sum('reembed_schedules', { state: 'active' })).toBe(0);
      expect(api.sum('reembed_http_event_streams')).toBe(1);
      expect(api.sum('reembed_http_rate_limited_total', { limit: 'streams' })).toBe(1);
    },
    { timeout: 90_000, interval: 500 },
  );
  stop.abort();
  await stream.text().catch(() => {});
  await reembed.tasks.cancel(id);
  await vi.waitFor(async () => expect((await ofApi()).sum('reembed_http_event_streams')).toBe(0), 90_000);
});

/** A trace that the caller has started. */
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
let tracedTask: string;

test('one trace leads from the request to the statements and calls of the model of its task', async () => {
  const response = await fetch(`${apiUrl}/v1/tasks/upsert/run?wait=true`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKENS.admin}`,
      'content-type': 'application/json',
      traceparent: `00-${TRACE_ID}-${CALLER}-01`,
    },
    body: JSON.stringify({
      index: 'docs',
      items: [{ id: 'traced', payload: 'words that nobody else has', metadata: { colour: 'unheard of' } }],
    }),
  });
  ({ id: tracedTask } = (await response.json()) as { id: string });
  const ofTrace = () => collector.spans.filter(({ traceId }) => traceId === TRACE_ID);
  const named = (name: string) => ofTrace().find((span) => span.name === name);
  const way = (span: CollectedSpan | undefined): string[] => {
    if (!span) return [];
    const parent = ofTrace().find(({ id }) => id === span.parentId);
    return parent ? [...way(parent), span.name] : [span.parentId, span.name];
  };
  const above = [CALLER, 'POST /v1/tasks/upsert/run', 'StartWorkflow:upsert', 'RunActivity:writeChunk'];
  await vi.waitFor(() => {
    const written = ofTrace().find(({ service, name }) => service === 'reembed-worker' && name === 'insert objects');
    expect(way(written)).toEqual([...above, 'insert objects']);
    expect(way(named('embeddings hash-v1'))).toEqual([...above, 'embeddings hash-v1']);
    expect(named('POST /v1/tasks/upsert/run')).toMatchObject({ service: 'reembed-api' });
  }, 90_000);
  expect(named('RunActivity:writeChunk')?.attributes).toMatchObject({ 'temporal.workflow.id': tracedTask });
  const sent = Buffer.concat(collector.received);
  for (const text of ['words that nobody else has', 'unheard of', 'a lion sleeps', ...Object.values(TOKENS)]) {
    expect([text, sent.includes(text)]).toEqual([text, false]);
  }
});

test('the log of the API names the task and the trace of a request', async () => {
  const line = processes.api.err.split('\n').find((one) => one.includes(tracedTask)) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({ msg: 'request', taskId: tracedTask, traceId: TRACE_ID, by: 'ann' });
});

test('a history with a trace context is replayed by workers with tracing and without', async () => {
  const history = await environment.client.workflow.getHandle(tracedTask).fetchHistory();
  expect(JSON.stringify(history)).toContain('_tracer-data');
  for (const bundle of [await workflowBundle(), await bundleWithoutTraces()]) {
    await Worker.runReplayHistory({ workflowBundle: bundle, sinks: taskEventSinks() }, history, tracedTask);
  }
});
