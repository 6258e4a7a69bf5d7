import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createRegistry, defineTask } from '../../src/jobs/index.ts';
import { type HttpServer, startHttpServer } from '../../src/runtime/http-server.ts';
import { silentDatabase, testApi } from '../api/support.ts';
import { startTemporal } from '../support/rig.ts';
import { cli } from './support.ts';

let environment: TestWorkflowEnvironment;
let server: HttpServer;
beforeAll(async () => {
  environment = await startTemporal('dev');
  const registry = createRegistry();
  defineTask({ name: 'expiry-check', description: 'Looks for what has expired.', registry }, () => {});
  defineTask(
    { name: 'report', registry, input: z.object({ to: z.string() }), queue: () => 'mail', timeout: '5m' },
    () => {},
  );
  const taskQueue = `app-${randomUUID()}`;
  const api = testApi(silentDatabase(), { client: environment.client, taskQueue, registry });
  server = await startHttpServer({ fetch: api.fetch, host: '127.0.0.1', port: 0, anyPort: true });
});
afterAll(async () => {
  await server?.stop(0);
  await environment?.teardown();
});

const reembed = (...args: string[]) => cli(args, { env: { REEMBED_URL: server.url } });

test('schedules are created, shown, listed, steered and removed', async () => {
  const report = ['report', '--key', 'weekly'];
  const added = await reembed(
    ...['schedules', 'add', ...report, '--every', '0 9 * * MON', '--time-zone', 'Europe/Berlin', '--catch-up', '2h'],
    ...['--input', '{"to":"all"}', '--options', '{"maxAttempts":1}', '--overlap', 'buffer_one', '--note', 'mondays'],
  );
  expect(added).toMatchObject({ code: 0, err: '' });
  for (const line of [
    /^job +report$/m,
    /^key +weekly$/m,
    /^every +0 9 \* \* MON \(Europe\/Berlin\)$/m,
    /^state +active$/m,
    /^note +mondays$/m,
    /^overlap +buffer_one$/m,
    /^catch-up +2h$/m,
    /^input +\{"to":"all"\}$/m,
    /^options +\{"maxAttempts":1\}$/m,
    /^runs +0 started, 0 skipped, 0 missed$/m,
  ]) {
    expect(added.out).toMatch(line);
  }
  const again = await reembed(
    'schedules',
    'add',
    ...report,
    '--every',
    '1h',
    '--input',
    '{"to":"all"}',
    '--if-exists',
    'refuse',
  );
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('already has a schedule weekly') });

  expect((await reembed('schedules', 'pause', ...report, '--note', 'holidays')).out).toMatch(/^state +paused$/m);
  await vi.waitFor(async () => {
    const listed = await reembed('schedules', 'list');
    expect(listed.out).toMatch(
      /^JOB +KEY +EVERY +STATE +NEXT +LAST +NOTE\nreport +weekly +0 9 .* paused +- +- +holidays\n$/,
    );
  }, 90_000);
  expect((await reembed('schedules', 'resume', ...report)).out).toMatch(/^state +active$/m);
  expect((await reembed('schedules', 'next', ...report, '--days', '30')).out).toMatch(
    /^(\d{4}-\d\d-\d\dT0[78]:00:00.000Z\n){4,5}$/,
  );
  const run = JSON.parse((await reembed('schedules', 'run', ...report, '--json')).out);
  expect(run).toMatchObject({ outcome: 'started' });
  expect((await reembed('schedules', 'run', ...report, '--overlap', 'skip')).out).toMatch(/^skipped: /);
  expect((await reembed('schedules', 'get', ...report)).out).toMatch(
    new RegExp(`^last runs, newest first\n {2}\\S+ {2}${run.taskId}$`, 'm'),
  );
  expect((await reembed('schedules', 'remove', ...report)).out).toBe('schedule weekly of report removed\n');
  expect(await reembed('schedules', 'get', ...report)).toMatchObject({
    code: 1,
    err: 'error: there is no schedule weekly of the job report\n',
  });
});

test('a wrong schedule exits with 2 and names each wrong field', async () => {
  const wrong = await reembed('schedules', 'add', 'expiry-check', '--every', '61 * * * *', '--json');
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.out)).toMatchObject({ error: { type: 'InvalidInput', issues: [{ path: 'every' }] } });
  const unknown = await reembed('schedules', 'add', 'nothing', '--every', '1m');
  expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('defined jobs: expiry-check, report') });
});

test('jobs are listed, and run with the options of the command line', async () => {
  expect((await reembed('jobs', 'list')).out).toMatch(
    /^JOB .*\nexpiry-check +- +Looks for what has expired\.\nreport +to +timeout=5m queue by input\n$/,
  );
  const taskId = `report-${randomUUID()}`;
  const sent = await reembed(
    ...['jobs', 'run', 'report', '--task-id', taskId, '--input', '{"to":"a"}', '--delay', '2d'],
    ...['--options', '{"maxAttempts":7}'],
  );
  expect(sent).toMatchObject({ code: 0, out: expect.stringMatching(`^task ${taskId} is pending; follow it`) });
  expect((await reembed('tasks', 'info', taskId)).out).toMatch(/attempts +0 of 7/);
  const refused = await reembed('jobs', 'run', 'report', '--input', '{"to":7}');
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('input.to') });
});
