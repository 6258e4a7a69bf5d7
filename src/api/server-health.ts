import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { type QueueHealth, type ServerHealth, serverHealthSchema } from '../contract/health.ts';
import { createSampler } from '../metrics/sampler.ts';
import { type ObservedQueue, readQueue } from '../temporal/lists/queue-metrics.ts';
import { WorkerPresence } from '../temporal/worker-presence.ts';
import { createRouter } from './create-router.ts';
import type { HealthChecks } from './health.ts';
import type { Places } from './places/places.ts';

/** All who ask within this time share an answer. */
const MAX_AGE_MS = 1_000;
const LIMIT_MS = 2_000;

const serverHealth = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'serverHealth',
  tags: ['operation'],
  summary: 'Whether Postgres, Temporal and the workers answer',
  description:
    'For people and dashboards: it answers with 200 whatever it finds. `/readyz` is for orchestrators. Workers are counted by the ' +
    'heartbeats that they send to Temporal, or on a server without them by who has polled within two minutes.',
  responses: {
    200: { description: 'What was found.', content: { 'application/json': { schema: serverHealthSchema } } },
  },
});

export interface ServerHealthDependencies {
  checks: HealthChecks;
  client: Client;
  queues: readonly ObservedQueue[];
  places: Places;
}

/** Serves the state of the servers and workers, checked at most once a second. */
export function createServerHealthRouter({ checks, client, queues, places }: ServerHealthDependencies) {
  const presence = new WorkerPresence();
  const limits = { maxAgeMs: MAX_AGE_MS, limitMs: LIMIT_MS };
  const answered = async (check: () => Promise<unknown>) => {
    await check();
    return true;
  };
  const database = createSampler(() => answered(checks.database), limits);
  const others = places.all
    .filter((place) => place !== places.main)
    .map(({ name, db }) => ({ name, look: createSampler(() => answered(() => sql`select`.execute(db)), limits) }));
  const temporal = createSampler(() => answered(checks.temporal), limits);
  const inQueues = createSampler(() => readQueues(client, presence, queues), limits);
  return createRouter().openapi(serverHealth, async (c) => {
    const [inDatabase, inTemporal, found, inOthers] = await Promise.all([
      database(),
      temporal(),
      inQueues(),
      Promise.all(others.map(async ({ name, look }) => ({ name, answers: (await look()).value === true }))),
    ]);
    const main = { name: places.main.name, answers: inDatabase.value === true };
    const health: ServerHealth = {
      checkedTime: new Date().toISOString(),
      database: { answers: main.answers },
      ...(others.length > 0 && { databases: [main, ...inOthers] }),
      temporal: { answers: inTemporal.value === true },
      queues: found.value ?? null,
    };
    return c.json(health, 200);
  });
}

async function readQueues(
  client: Client,
  presence: WorkerPresence,
  queues: readonly ObservedQueue[],
): Promise<QueueHealth[]> {
  const [workers, states] = await Promise.all([
    presence.read(client),
    Promise.all(queues.map((queue) => readQueue(client, queue))),
  ]);
  return states.map(({ queue, kind, backlog, backlogAgeSeconds, identities }, at) => {
    const known = workers.get(queues[at]?.taskQueue ?? '');
    // Workers without heartbeats are known by their polls only.
    const polling = identities.filter((identity) => !known?.gone.has(identity)).length;
    return { queue, kind, workers: known?.running || polling, backlog, backlogAgeSeconds };
  });
}
