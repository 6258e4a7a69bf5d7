import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { keep, ROOT } from './kept.ts';
import { share } from './share.ts';
import { DASHBOARD_VARIABLE } from './variables.ts';

const FROM = ['src', 'tsconfig.json', 'package.json', 'package-lock.json'];

/** One build of the dashboard for the whole run, with the checks of React's development build; kept until a source changes. */
export default async function setup(_: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('dashboard', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'reembed-test-dashboard-'));
    await cp(await keep({ name: 'dashboard', from: FROM }, make), folder, { recursive: true });
    return { value: folder, stop: () => rm(folder, { recursive: true, force: true }) };
  });
  process.env[DASHBOARD_VARIABLE] = value;
  return release;
}

async function make(draft: string): Promise<void> {
  // Vitest sets NODE_ENV to `test`, which selects the development build.
  await build({ root: path.join(ROOT, 'src/dashboard'), logLevel: 'silent', build: { outDir: draft } });
}
