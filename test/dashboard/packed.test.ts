import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { it, onTestFinished } from 'vitest';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { openBrowser } from './support/chromium.ts';
import { statusBecomes } from './support/dashboard.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const opened = await openBrowser();

/** The package as it is published, installed in an empty folder; returns the folder. */
async function installed(): Promise<string> {
  const [packed, folder] = ['packed', 'empty'].map((name) => path.join(parent, name)) as [string, string];
  for (const made of [packed, folder]) mkdirSync(made);
  await run('npm', ['pack', '--pack-destination', packed], { cwd: ROOT });
  const [tarball = ''] = readdirSync(packed);
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', path.join(packed, tarball)], {
    cwd: folder,
  });
  return folder;
}
let parent = '';

/** `npx reembed dev` in that folder; returns the address of its API. */
async function startDev(folder: string): Promise<string> {
  const nothing = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', REEMBED_API_TOKENS: '', REEMBED_PORT: '0' };
  // A separate process group: npx passes no signal on.
  const dev = spawn('npx', ['reembed', 'dev', '--json'], {
    cwd: folder,
    env: { ...process.env, ...nothing },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  onTestFinished(async () => {
    const ended = once(dev, 'close');
    process.kill(-(dev.pid as number), 'SIGINT');
    await ended;
  });
  let out = '';
  for await (const chunk of dev.stdout) {
    out += chunk;
    const [line] = /\{"api":.*\}(?=\n)/.exec(out) ?? [];
    if (line !== undefined) return (JSON.parse(line) as { api: string }).api;
  }
  throw new Error(`dev ended: ${out}`);
}

it.skipIf(!opened)(
  'the packed package, installed in an empty folder, does the main job by clicks only',
  { timeout: 600_000 },
  async () => {
    const { browser, close } = opened as NonNullable<typeof opened>;
    onTestFinished(close);
    parent = freshFolder();
    const api = await startDev(await installed());
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const go = (name: string) => page.getByRole('navigation').getByRole('link', { name }).click();

    await page.goto(api);
    await page.getByText('No tasks yet').waitFor();
    await go('Indexes');
    await click('New index…');
    await click('Create the index');
    await page.getByText('No objects yet').waitFor();
    await click('Add objects…');
    await click('Fill in an example');
    await click('Write 12 objects');
    await statusBecomes(page, 'done');

    await go('Indexes');
    await page.locator('[data-alias=docs]').getByRole('link', { name: 'docs-v1' }).waitFor();
    await click('Reindex…');
    await click('Start the reindex');
    await page.waitForURL(/\/tasks\/./);
    await statusBecomes(page, 'done');
    await page.getByText('docs-v2 is complete and serves as docs').waitFor();

    await go('Indexes');
    await page.locator('[data-alias=docs]').getByRole('link', { name: 'docs-v2' }).waitFor();
    await page.locator('[data-index=docs-v2]').getByText('docs', { exact: true }).waitFor();
    await go('Search');
    await page.getByLabel('Search for').fill('a doctor');
    await click('Search');
    const found = page.getByRole('table', { name: 'Found in docs-v2' });
    await found.getByText('someone who is trained to treat the sick').first().waitFor();
    // Each index answers when it has the answer.
    await page.getByRole('table', { name: 'Found in docs-v1' }).waitFor();
  },
);
