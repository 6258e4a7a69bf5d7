import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectJobs, syncSchedules } from '../../src/jobs/index.ts';
import { getTracker } from '../../src/temporal/index.ts';
import { type JobWorld, useJobs } from '../jobs/support.ts';
import { startScript } from './support.ts';

vi.setConfig({ testTimeout: 180_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reembed-examples-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Examples send through the registry of the process. */
const connected = (world: JobWorld) =>
  beforeAll(() => {
    connectJobs({ client: world.environment.client, taskQueue: world.rig.taskQueue });
  });

/** A mail service that is unavailable at first, and slow. */
async function startMailService() {
  const mails = new Map<string, unknown>();
  let refusals = 1;
  const server = createServer(async (request, response) => {
    const mail = await json(request);
    if (refusals-- > 0) return void response.writeHead(503).end('come back later');
    await delay(200);
    mails.set(`${request.headers['idempotency-key']}`, mail);
    response.writeHead(201).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { mails, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}

describe('on the dev server', async () => {
  const { sendMail } = await import('../../examples/send-mail/tasks.ts');
  const { checkExpiry } = await import('../../examples/expiry-check/tasks.ts');
  const world = useJobs('dev', (registry) => {
    registry.add(sendMail);
    registry.add(checkExpiry);
  });
  connected(world);

  test('send-mail answers immediately, and the mail goes out when the mail service is back', async () => {
    const { environment, rig } = world;
    const service = await startMailService();
    vi.stubEnv('MAIL_URL', service.url);
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = startScript('examples/send-mail/server.ts', [], {
      PORT: `${port}`,
      TEMPORAL_ADDRESS: environment.connection.options.address,
      TEMPORAL_NAMESPACE: environment.client.options.namespace,
      REEMBED_TASK_QUEUE: rig.taskQueue,
    });
    const signUp = (email: string) =>
      fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: JSON.stringify({ email }) });
    try {
      const answer = await vi.waitFor(() => signUp('new@example.com'), { timeout: 90_000, interval: 200 });
      expect(answer.status).toBe(202);
      const { mail } = (await answer.json()) as { mail: string };
      const tracker = await sendMail.handle(mail).wait();
      expect(tracker).toMatchObject({
        status: 'done',
        attempts: 2,
        errors: [{ message: expect.stringMatching('503') }],
      });
      expect([...service.mails]).toEqual([
        [mail, { to: 'new@example.com', subject: 'Welcome', text: expect.any(String) }],
      ]);
      expect((await signUp('nobody')).status).toBe(400);
    } finally {
      server.child.kill();
      await server.ended;
      service.stop();
      vi.unstubAllEnvs();
    }
  });

  test('expiry-check is due every minute, and returns what has expired', async () => {
    const { environment, rig, registry } = world;
    vi.stubEnv('LEASES_DIR', folder);
    const hourMs = 3_600_000;
    await writeFile(path.join(folder, 'old'), new Date(Date.now() - hourMs).toISOString());
    await writeFile(path.join(folder, 'new'), new Date(Date.now() + hourMs).toISOString());
    await syncSchedules(registry, { client: environment.client, taskQueue: rig.taskQueue });
    const schedule = checkExpiry.schedule();
    const { every, nextTimes } = await schedule.info();
    expect(every).toBe('1m');
    expect(Date.parse(nextTimes[1] ?? '') - Date.parse(nextTimes[0] ?? '')).toBe(60_000);
    const { taskId } = await schedule.run();
    await vi.waitFor(
      async () => {
        const tracker = await getTracker(environment.client, `${taskId}`);
        expect(tracker).toMatchObject({ status: 'done', data: { result: { expired: ['old'] } } });
      },
      { timeout: 90_000 },
    );
    expect(existsSync(path.join(folder, 'new'))).toBe(true);
    await schedule.remove();
    vi.unstubAllEnvs();
  });
});

describe('on the server that skips time', async () => {
  const { removeAt, removeFile, removeInTwoDays } = await import('../../examples/remove-later/tasks.ts');
  const world = useJobs('time-skipping', (registry) => registry.add(removeFile));
  connected(world);
  const DAY_MS = 86_400_000;

  test('remove-later removes a file two days after it was made, and not before', async () => {
    const file = path.join(folder, randomUUID());
    await writeFile(file, '');
    const madeMs = await world.environment.currentTimeMs();
    const job = await removeInTwoDays(file);
    expect((await removeInTwoDays(file)).id).toBe(job.id);
    await world.environment.sleep('47h');
    expect(existsSync(file)).toBe(true);
    expect(await job.info()).toMatchObject({ status: 'waiting' });
    expect(await job.wait()).toMatchObject({ status: 'done' });
    expect(existsSync(file)).toBe(false);
    expect((await world.environment.currentTimeMs()) - madeMs).toBeGreaterThanOrEqual(2 * DAY_MS);
  });

  test('or at a time', async () => {
    const file = path.join(folder, randomUUID());
    await writeFile(file, '');
    const timeMs = (await world.environment.currentTimeMs()) + 30 * DAY_MS;
    await (await removeAt(new Date(timeMs), file)).wait();
    expect(existsSync(file)).toBe(false);
    expect(await world.environment.currentTimeMs()).toBeGreaterThanOrEqual(timeMs);
  });
});
