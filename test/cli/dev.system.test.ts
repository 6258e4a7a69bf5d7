import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isThere, killHard } from '../runtime/servers/fixtures/child.ts';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { builtMain } from '../support/build.ts';
import { CliProcess, cli } from './support.ts';

interface Addresses {
  api: string;
  docs: string;
  temporal: string;
  temporalUi: string;
}

function run(args: string[], env: NodeJS.ProcessEnv = {}): CliProcess {
  const started = new CliProcess(args, env, [builtMain()]);
  onTestFinished(() => killHard(started.child));
  return started;
}

/** `dev` on a folder; it must not use a database or a Temporal server of the environment. */
async function startDev(dataDir: string, env: NodeJS.ProcessEnv = {}): Promise<{ dev: CliProcess; at: Addresses }> {
  const own = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', TEMPORAL_NAMESPACE: '', REEMBED_API_TOKENS: '', ...env };
  const dev = run(['dev', '--json', '--port', '0', '--data-dir', dataDir], own);
  const [line] = await dev.prints(/\{"api":.*\}\n/);
  return { dev, at: JSON.parse(line) };
}

function temporalPid(dataDir: string): number {
  return JSON.parse(readFileSync(path.join(dataDir, 'temporal.db.pid'), 'utf8')).server.pid;
}

test('dev runs everything in one folder, stops cleanly at Ctrl-C, and continues with the same data', async () => {
  const dataDir = path.join(freshFolder(), 'data');
  const { dev, at } = await startDev(dataDir);
  for (const url of [`${at.api}/healthz`, `${at.api}/readyz`, at.docs, at.temporalUi]) {
    expect((await fetch(url)).status, url).toBe(200);
  }
  const reembed = (args: string[], options: Parameters<typeof cli>[1] = {}) =>
    cli(args, { ...options, env: { REEMBED_URL: at.api } });

  // A second one on the same folder reports its owner.
  const second = run(['dev', '--port', '0', '--data-dir', dataDir], { DATABASE_URL: '', TEMPORAL_ADDRESS: '' });
  expect(await second.ends()).toBe(1);
  expect(second.err).toMatch(/^error: .* is in use by another process \(pid \d+\): stop that one first[^\n]*\n$/m);
  expect(second.err).toContain(`pid ${dev.child.pid}`);

  // The first steps of a user.
  expect(await reembed(['index', 'create', 'docs', '--provider', 'words'])).toMatchObject({ code: 0, err: '' });
  expect(await reembed(['alias', 'set', 'live', 'docs'])).toMatchObject({ code: 0, out: 'live points to docs\n' });
  const file = path.join(path.dirname(dataDir), 'items.ndjson');
  const texts = ['a lion and a tiger', 'a train to Berlin', 'the price of bread'];
  writeFileSync(file, texts.map((payload, at) => JSON.stringify({ id: `o${at}`, payload })).join('\n'));
  const upserted = await reembed(['upsert', file, '--index', 'live', '--wait', '--task-id', 'first']);
  expect(upserted).toMatchObject({ code: 0 });
  expect(upserted.out).toMatch(/^task first is done: 3 of 3; 3 written\n$/);
  const search = await reembed(['search', 'live', 'wild cats', '--limit', '1', '--json']);
  expect(JSON.parse(search.out)).toMatchObject({ index: 'docs', hits: [{ id: 'o0' }] });

  const reindexed = await reembed(['reindex', 'live', 'docs-v2', '--provider', 'hash', '--task-id', 'second']);
  expect(reindexed).toMatchObject({ code: 0 });
  expect(reindexed.err).toMatch(/^task second\n.*done: 3\/3, /s);
  expect(reindexed.out).toMatch(/^task second is done: 3 of 3; docs-v2 is complete and serves as live\n$/);
  expect((await reembed(['alias', 'list'])).out).toMatch(/live +docs-v2/);
  expect(await reembed(['tasks', 'info', 'nothing'])).toMatchObject({
    code: 1,
    err: 'error: there is no task nothing\n',
  });
  expect((await reembed(['index', 'delete', 'docs-v2', '--json'])).out).toContain('"type":"IndexAliased"');

  // The watching ends, the task does not.
  const delayed = await reembed(
    ['reindex', 'live', 'docs-v3', '--provider', 'words', '--rate', '0.2', '--task-id', 'third', '--batch-size', '1'],
    {
      interruptAfterMs: 1_500,
    },
  );
  const advice = 'the task continues; follow it: reembed tasks watch third, cancel it: reembed tasks cancel third';
  expect(delayed).toMatchObject({ code: 130, out: '', err: expect.stringContaining(advice) });
  expect((await reembed(['tasks', 'cancel', 'third', '--json'])).out).toContain('"status":"canceled"');
  expect((await reembed(['tasks', 'watch', 'third'])).code).toBe(1);

  const pid = temporalPid(dataDir);
  expect(await dev.ends('SIGINT')).toBe(0);
  expect(dev.err).toContain('SIGINT: stopping');
  expect(await isThere(pid)).toBe(false);
  expect(existsSync(path.join(dataDir, 'temporal.db.pid'))).toBe(false);

  const again = await startDev(dataDir);
  const env = { REEMBED_URL: again.at.api };
  expect(JSON.parse((await cli(['search', 'live', 'lion', '--json'], { env })).out).hits).toHaveLength(3);
  expect((await cli(['tasks', 'info', 'second'], { env })).out).toMatch(/status +done/);
  expect(await again.dev.ends('SIGTERM')).toBe(0);
});

test('dev exits with code 1 and the reason when a component dies', async () => {
  const dataDir = path.join(freshFolder(), 'data');
  const { dev } = await startDev(dataDir);
  process.kill(temporalPid(dataDir), 'SIGKILL');
  expect(await dev.ends()).toBe(1);
  expect(dev.out).toMatch(
    /^\{"error":\{"type":"ServerUnavailable","message":"The Temporal dev server ended unexpectedly \(SIGKILL\)/m,
  );
});

test('dev stops cleanly while it is still starting', async () => {
  const dataDir = path.join(freshFolder(), 'data');
  const dev = run(['dev', '--port', '0', '--data-dir', dataDir], { DATABASE_URL: '', TEMPORAL_ADDRESS: '' });
  await dev.prints(/setting up the embedded database|"api"/);
  expect(await dev.ends('SIGTERM')).toBe(0);
  expect(dev.out).not.toContain('"api"');
  expect(existsSync(path.join(dataDir, 'temporal.db.pid'))).toBe(false);
});

test('dev exits with code 2 and names the option when its folder cannot be created', async () => {
  const folder = process.platform === 'linux' ? '/proc/none' : '/dev/null/none';
  const dev = run(['dev', '--port', '0', '--data-dir', folder], { DATABASE_URL: '', TEMPORAL_ADDRESS: '' });
  expect(await dev.ends()).toBe(2);
  expect(dev.err).toMatch(/^error: --data-dir \(REEMBED_DATA_DIR\) must name a folder that can be made [^\n]*\n$/m);
});
