import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { killHard } from '../runtime/servers/fixtures/child.ts';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { seenWhen } from '../support/eventually.ts';
import { CliProcess, cli } from './support.ts';

vi.setConfig({ testTimeout: 240_000 });

/** `dev` on a folder, with the user's own tasks. */
async function startDev(dataDir: string, args: string[], env: NodeJS.ProcessEnv) {
  const nobodys = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', TEMPORAL_NAMESPACE: '', REEMBED_API_TOKENS: '' };
  const dev = new CliProcess(['dev', '--json', '--port', '0', '--data-dir', dataDir, ...args], { ...nobodys, ...env });
  onTestFinished(() => killHard(dev.child));
  const [line] = await dev.prints(/\{"api":.*\}\n/);
  const { api } = JSON.parse(line);
  return { dev, reembed: (...command: string[]) => cli(command, { env: { REEMBED_URL: api } }) };
}

test('dev with tasks knows their jobs, creates declared schedules, and prunes those no longer declared', async () => {
  const folder = freshFolder();
  const dataDir = path.join(folder, 'data');
  const leases = path.join(folder, 'leases');
  mkdirSync(leases);
  writeFileSync(path.join(leases, 'old'), '2000-01-01T00:00:00Z');
  const first = await startDev(dataDir, ['--tasks', 'examples/expiry-check'], { LEASES_DIR: leases });
  expect((await first.reembed('jobs', 'list')).out).toMatch(/^check-expiry +- .*Releases expired leases\.$/m);
  expect((await first.reembed('schedules', 'get', 'check-expiry')).out).toMatch(/^declared +in code$/m);
  // A run is skipped while that of the full minute has not ended.
  const run = async () => JSON.parse((await first.reembed('schedules', 'run', 'check-expiry', '--json')).out);
  const { taskId } = await seenWhen(run, (started) => started.taskId !== null, 'the run');
  await first.reembed('tasks', 'watch', taskId);
  const info = JSON.parse((await first.reembed('tasks', 'info', taskId, '--json')).out);
  // The run of the full minute may have come first.
  expect(info).toMatchObject({ status: 'done', data: { result: { expired: expect.any(Array) } } });
  expect(readdirSync(leases)).toEqual([]);
  const unknown = await first.reembed('jobs', 'run', 'nothing');
  expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('defined jobs: check-expiry') });
  expect((await first.reembed('schedules', 'add', 'check-expiry', '--key', 'by-hand', '--every', '1d')).code).toBe(0);
  expect(await first.dev.ends('SIGTERM')).toBe(0);

  const second = await startDev(dataDir, ['--tasks', 'examples/send-mail/tasks.ts', '--prune-schedules'], {});
  await vi.waitFor(
    async () => {
      const { schedules } = JSON.parse((await second.reembed('schedules', 'list', '--json')).out);
      expect(schedules.map(({ key }: { key: string }) => key)).toEqual(['by-hand']);
    },
    { timeout: 90_000, interval: 200 },
  );
  expect(await second.dev.ends('SIGTERM')).toBe(0);
});
