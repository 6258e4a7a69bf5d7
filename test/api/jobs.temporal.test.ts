import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineTask } from '../../src/jobs/index.ts';
import { useJobs } from '../jobs/support.ts';
import { call, silentDatabase, testApi } from './support.ts';

const world = useJobs('dev', (registry) => {
  const input = z.object({ n: z.int() });
  defineTask({ name: 'double', registry, input }, ({ n }) => 2 * n);
  defineTask({ name: 'alone', registry, onDuplicate: 'discard', bind: true }, ({ signal }) =>
    delay(60_000, 0, { signal }),
  );
});

const LONG = 'wait=true&timeout=30';

describe.each([
  ['that knows the jobs', true],
  ['that knows none', false],
])('an API %s', (_which, known) => {
  const api = () =>
    testApi(silentDatabase(), {
      client: world.environment.client,
      taskQueue: world.rig.taskQueue,
      ...(known && { registry: world.registry }),
    });

  test('answers with the result at the end of a job', async () => {
    const body = { input: { n: 21 }, maxAttempts: 1 };
    expect(await call(api(), 'POST', `/v1/jobs/double/run?${LONG}`, body)).toMatchObject({
      status: 200,
      body: { type: 'job', status: 'done', maxAttempts: 1, data: { name: 'double', result: 42 } },
    });
    expect(await call(api(), 'POST', `/v1/tasks/job/run?${LONG}`, { name: 'double', ...body })).toMatchObject({
      status: 200,
      body: { status: 'done', data: { result: 42 } },
    });
  });

  test('reports for an ignored job which one it duplicates', async () => {
    const first = await call(api(), 'POST', '/v1/jobs/alone/run', {});
    expect(first.status).toBe(202);
    // A job that only a worker can check enters its lane after that check.
    await vi.waitFor(
      async () => {
        const { body } = await call(api(), 'GET', `/v1/tasks/info?taskId=${first.body.id}`);
        expect(body).toMatchObject({ status: 'processing', data: { workerId: expect.any(String) } });
      },
      { timeout: 90_000 },
    );
    const ignored = { status: 200, body: { status: 'ignored', data: { duplicateOf: first.body.id } } };
    expect(await call(api(), 'POST', `/v1/jobs/alone/run?${LONG}`, {})).toMatchObject(ignored);
    if (known) expect(await call(api(), 'POST', '/v1/jobs/alone/run', {})).toMatchObject(ignored);
    const canceled = await call(api(), 'PUT', `/v1/tasks/cancel?taskId=${first.body.id}`);
    expect(canceled).toMatchObject({ status: 200, body: { status: 'canceled' } });
  });
});
