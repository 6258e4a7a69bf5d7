import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from '../../../src/runtime/workflow-bundle.ts';
import { keep } from './kept.ts';
import { share } from './share.ts';
import { BUNDLE_VARIABLE } from './variables.ts';

/** `test/architecture.test.ts` checks that workflows import nothing else of the sources. */
const FROM = [
  'src/workflows',
  'src/contract',
  'src/version.ts',
  'src/runtime/workflow-bundle.ts',
  'package.json',
  'package-lock.json',
];

/** One bundle of the workflows for the whole run, kept from run to run until their code changes. */
export default async function setup(_: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('workflows', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'reembed-test-'));
    const file = path.join(folder, 'workflows.cjs');
    await copyFile(await keep({ name: 'workflows', from: FROM }, make), file);
    return { value: file, stop: () => rm(folder, { recursive: true, force: true }) };
  });
  process.env[BUNDLE_VARIABLE] = value;
  return release;
}

async function make(draft: string): Promise<void> {
  const { code } = await bundleWorkflows();
  await writeFile(draft, code);
}
