import { PassThrough, Readable } from 'node:stream';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { runCli } from '../../src/cli/program.ts';
import { createModels } from '../../src/models/models.ts';
import { listTasks, startTask } from '../../src/temporal/index.ts';
import { listeningLog } from '../api/support.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../temporal/support.ts';
import { cli } from './support.ts';

let world: World;
let server: ReturnType<typeof serve>;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  const { db, client, taskQueue } = world;
  const app = createApi({ db, client, taskQueue, log: listeningLog(), models: createModels({ env: {} }) });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve());
  });
  env = { REEMBED_URL: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
});
afterAll(async () => {
  server?.close();
  await world?.close();
});

async function givenWaiting(count: number): Promise<string> {
  const index = (await makeIndex(world.db)).name;
  for (let at = 0; at < count; at++) {
    const input = { index, after: '1h' };
    const { taskQueue, client } = world;
    await startTask(client, { type: 'delete-index', taskId: uniqueName('t'), input, taskQueue, inputHash: 'h' });
  }
  expect(await waiting(index, count)).toBe(count);
  return index;
}

async function waiting(index: string, expected: number): Promise<number> {
  const list = () => listTasks(world.client, { index, statuses: ['waiting'] });
  return (await eventually(list, ({ total }) => total === expected)).total;
}

test('tasks cancel --all shows its effect in a dry run, and then does it', async () => {
  const index = await givenWaiting(2);
  const dry = await cli(['tasks', 'cancel', '--all', '--index', index, '--dry-run'], { env });
  expect(dry.code).toBe(0);
  expect(dry.out.match(/delete-index +waiting +would cancel/g)).toHaveLength(2);
  expect(dry.out).toContain('done: 2 would cancel');
  expect(await waiting(index, 2)).toBe(2);

  const args = ['tasks', 'cancel', '--all', '--index', index, '--type', 'delete-index', 'upsert', '--json'];
  const { code, out, err } = await cli(args, { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { task, results } = JSON.parse(out);
  expect(task).toMatchObject({ type: 'steer', status: 'done', progress: { done: 2, failed: 0 } });
  expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['canceled', 'canceled']);
  expect(await waiting(index, 0)).toBe(0);
  const counts = await cli(['tasks', 'counts', '--index', index, '--status', 'canceled', '--since', '1h'], { env });
  expect(counts).toMatchObject({ code: 0, out: 'canceled  2\ntotal     2\n' });
});

test.each([
  ['n', 1, 1],
  ['y', 0, 0],
])('a user at a terminal is asked for confirmation: %s', async (answer, code, left) => {
  const index = await givenWaiting(1);
  const stdin = Object.assign(Readable.from([Buffer.from(`${answer}\n`)]), { isTTY: true });
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 }) as unknown as NodeJS.WriteStream;
  let shown = '';
  terminal.on('data', (chunk) => {
    shown += chunk;
  });
  const io = {
    env: { ...env, HOME: '/nonexistent' },
    stdin,
    terminal,
    out: () => {},
    err: () => {},
    onInterrupt: () => () => {},
  };
  expect(await runCli(['tasks', 'cancel', '--all', '--index', index], io)).toBe(code);
  expect(shown).toContain('1 tasks match. cancel 1 of them? [y/N]');
  expect(await waiting(index, left)).toBe(left);
});
