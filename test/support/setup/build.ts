import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { compileInto } from '../build.ts';
import { share } from './share.ts';
import { BUILD_VARIABLE } from './variables.ts';

/** One build of the package for the whole run. */
export default async function setup(_: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('build', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'reembed-test-build-'));
    await compileInto(folder);
    return { value: folder, stop: () => rm(folder, { recursive: true, force: true }) };
  });
  process.env[BUILD_VARIABLE] = value;
  return release;
}
