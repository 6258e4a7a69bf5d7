import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { compile, complete } from '../build.ts';
import { keep } from './kept.ts';
import { share } from './share.ts';
import { BUILD_VARIABLE } from './variables.ts';

const FROM = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'test/support/build.ts'];

/** One build of the package for the whole run; the compiled code is kept from run to run until a source changes. */
export default async function setup(_: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('build', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'reembed-test-build-'));
    const dist = await keep({ name: 'build', from: FROM }, compile);
    await cp(dist, path.join(folder, 'dist'), { recursive: true });
    complete(folder);
    return { value: folder, stop: () => rm(folder, { recursive: true, force: true }) };
  });
  process.env[BUILD_VARIABLE] = value;
  return release;
}
