import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from '../../../src/runtime/worker.ts';

import { share } from './share.ts';
import { BUNDLE_VARIABLE } from './variables.ts';

/** One bundle of the workflows for the whole run. */
export default async function setup(_: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('workflows', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'reembed-test-'));
    const file = path.join(folder, 'workflows.cjs');
    const { code } = await bundleWorkflows();
    await writeFile(file, code);
    return { value: file, stop: () => rm(folder, { recursive: true, force: true }) };
  });
  process.env[BUNDLE_VARIABLE] = value;
  return release;
}
