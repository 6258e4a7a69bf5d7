import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { z } from 'zod';
import { type ErrorType, ReembedError } from '../contract/errors.ts';
import type { Db } from '../store/database.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';

/** Sends a trivial request to one of our servers; rejects if it does not answer. */
export type HealthCheck = () => Promise<unknown>;

export interface HealthChecks {
  temporal: HealthCheck;
  database: HealthCheck;
}

const ERRORS = {
  database: 'DatabaseUnavailable',
  temporal: 'TemporalUnavailable',
} as const satisfies Record<keyof HealthChecks, ErrorType>;

const LIMIT_MS = 2_000;

export function createHealthChecks({ db, client }: { db: Db; client: Client }): HealthChecks {
  return {
    database: () => sql`select 1`.execute(db),
    temporal: () =>
      client.connection.withDeadline(Date.now() + LIMIT_MS, () => client.connection.workflowService.getSystemInfo({})),
  };
}

const healthz = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'health',
  tags: ['operation'],
  summary: 'The process is up',
  security: [],
  responses: {
    200: {
      description: 'It is.',
      content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } },
    },
  },
});

const readyz = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'readiness',
  tags: ['operation'],
  summary: 'Temporal and Postgres answer, and no stop was asked for',
  security: [],
  responses: {
    200: {
      description: 'Both answer.',
      content: { 'application/json': { schema: z.object({ status: z.literal('ready') }) } },
    },
    ...problemResponses('DatabaseUnavailable', 'TemporalUnavailable', 'Stopping'),
  },
});

export function createHealthRouter(
  checks: HealthChecks,
  { limitMs = LIMIT_MS, isStopping = () => false }: { limitMs?: number; isStopping?: (() => boolean) | undefined } = {},
) {
  const database = limited(checks.database, limitMs);
  const temporal = limited(checks.temporal, limitMs);
  return createRouter()
    .openapi(healthz, (c) => c.json({ status: 'ok' as const }, 200))
    .openapi(readyz, async (c) => {
      if (isStopping()) throw new ReembedError('Stopping', 'it was asked to stop: send requests elsewhere');
      const [databaseAnswers, temporalAnswers] = await Promise.all([database(), temporal()]);
      const silent: (keyof HealthChecks)[] = [];
      if (!databaseAnswers) silent.push('database');
      if (!temporalAnswers) silent.push('temporal');
      if (silent[0]) {
        const issues = silent.map((path) => ({ path, message: 'does not answer' }));
        throw new ReembedError(ERRORS[silent[0]], `no answer from: ${silent.join(', ')}`, { issues });
      }
      return c.json({ status: 'ready' as const }, 200);
    });
}

/** After this time a hung check is abandoned: its connection may be dead while new ones work. */
const GIVE_UP_MS = 15_000;

/**
 * Returns whether the check succeeds in time. Callers share a running check: probes that arrive every second must not
 * queue up in front of a server that hangs.
 */
function limited(check: HealthCheck, limitMs: number): () => Promise<boolean> {
  let running: { since: number; answered: Promise<boolean> } | undefined;
  return async () => {
    if (!running || Date.now() - running.since > GIVE_UP_MS) {
      const current = { since: Date.now(), answered: succeeds(check) };
      running = current;
      void current.answered.then(() => {
        if (running === current) running = undefined;
      });
    }
    return Promise.race([running.answered, sleep(limitMs, false, { ref: false })]);
  };
}

async function succeeds(check: HealthCheck): Promise<boolean> {
  try {
    await check();
    return true;
  } catch {
    return false;
  }
}
