import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { pruneBridges } from '../../scripts/prune-bridges.ts';

const { targets, getPrebuiltTargetName } = createRequire(import.meta.url)('@temporalio/core-bridge/common.js') as {
  targets: string[];
  getPrebuiltTargetName: () => string;
};
const root = mkdtempSync(path.join(tmpdir(), 'reembed-bridges-'));
afterAll(() => rmSync(root, { recursive: true }));

function releases(): string {
  const folder = mkdtempSync(path.join(root, 'releases-'));
  for (const target of targets) mkdirSync(path.join(folder, target));
  return folder;
}

function prune(platform: string, architecture: string): string[] {
  const folder = releases();
  pruneBridges(pathToFileURL(`${folder}/`), platform, architecture);
  return readdirSync(folder);
}

describe('the native libraries of the Temporal core', () => {
  test('are left for this platform under the name that the core looks for', () => {
    expect(prune(process.platform, process.arch)).toEqual([getPrebuiltTargetName()]);
  });

  test.each([
    ['linux', 'x64', 'x86_64-unknown-linux-gnu'],
    ['linux', 'arm64', 'aarch64-unknown-linux-gnu'],
    ['darwin', 'x64', 'x86_64-apple-darwin'],
    ['darwin', 'arm64', 'aarch64-apple-darwin'],
    ['win32', 'x64', 'x86_64-pc-windows-msvc'],
  ])('are left for %s on %s', (platform, architecture, expected) => {
    expect(prune(platform, architecture)).toEqual([expected]);
  });

  test('all stay where none is for the platform', () => {
    expect(prune('freebsd', 'x64').sort()).toEqual([...targets].sort());
  });
});
