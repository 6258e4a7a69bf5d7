/**
 * Removes the native libraries of Temporal's core for other platforms from `node_modules`: 120 MB. npm runs it at the end
 * of an installation of a checkout (`prepare`), not where the package is a dependency.
 */
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const RELEASES = new URL('../node_modules/@temporalio/core-bridge/releases/', import.meta.url);

const ARCHITECTURES: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' };
const SYSTEMS: Record<string, string> = {
  darwin: 'apple-darwin',
  linux: 'unknown-linux-gnu',
  win32: 'pc-windows-msvc',
};

/** Removes all folders of `releases` but that of the platform; none if there is no folder for it. */
export function pruneBridges(releases: URL, platform: string, architecture: string): void {
  const own = `${ARCHITECTURES[architecture]}-${SYSTEMS[platform]}`;
  const folders = readdirSync(releases);
  if (!folders.includes(own)) return;
  for (const folder of folders) {
    if (folder !== own) rmSync(new URL(folder, releases), { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // npm sets these two for `npm ci --os … --cpu …`, which installs for another platform.
  const { npm_config_os = process.platform, npm_config_cpu = process.arch } = process.env;
  pruneBridges(RELEASES, npm_config_os, npm_config_cpu);
}
