import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchPackage } from '../support/npm-package.ts';

const root = mkdtempSync(path.join(tmpdir(), 'reembed-npm-package-'));
let registry: Server;
let env: NodeJS.ProcessEnv;
let downloads = 0;
let integrity: string;

/** A registry with one package, `@scope/tool` 1.0.0. */
beforeAll(async () => {
  mkdirSync(path.join(root, 'package/bin'), { recursive: true });
  writeFileSync(path.join(root, 'package/package.json'), '{"name":"@scope/tool","version":"1.0.0"}');
  writeFileSync(path.join(root, 'package/bin/tool'), 'works');
  execFileSync('tar', ['-czf', 'tool.tgz', 'package'], { cwd: root });
  const tarball = readFileSync(path.join(root, 'tool.tgz'));
  integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  registry = createServer((request, response) => {
    const url = `http://${request.headers.host}/tool.tgz`;
    if (request.url === '/tool.tgz') {
      downloads += 1;
      response.end(tarball);
    } else if (decodeURIComponent(request.url ?? '') === '/@scope/tool') {
      const version = { name: '@scope/tool', version: '1.0.0', dist: { tarball: url, integrity } };
      response.end(
        JSON.stringify({ name: '@scope/tool', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }),
      );
    } else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  env = {
    ...process.env,
    npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
    npm_config_cache: path.join(root, 'npm-cache'),
    npm_config_fetch_retries: '0',
  };
});
afterAll(() => {
  registry.close();
  rmSync(root, { recursive: true, force: true });
});

const tool = () => ({ name: '@scope/tool', version: '1.0.0', integrity });
const freshCache = () => mkdtempSync(path.join(root, 'cache-'));
const silent = () => {};

describe('a package that only some tests need', () => {
  test('is downloaded once for concurrent callers, prepared, and found again without a registry', async () => {
    const cacheDir = freshCache();
    const lines: string[] = [];
    const prepare = async (folder: string) => writeFileSync(path.join(folder, 'prepared'), '');
    const options = { cacheDir, env, prepare, say: (line: string) => void lines.push(line) };
    const [first, second] = await Promise.all([fetchPackage(tool(), options), fetchPackage(tool(), options)]);
    expect(second).toBe(first);
    expect(readFileSync(path.join(first, 'bin/tool'), 'utf8')).toBe('works');
    expect(existsSync(path.join(first, 'prepared'))).toBe(true);
    expect(lines.filter((line) => line.startsWith('fetching @scope/tool 1.0.0'))).toHaveLength(1);
    expect(downloads).toBe(1);
    const nowhere = { ...env, npm_config_registry: 'http://127.0.0.1:9/', PATH: '' };
    expect(await fetchPackage(tool(), { cacheDir, env: nowhere, say: silent })).toBe(first);
  });

  test('is refused and leaves nothing in the cache, if its hash differs', async () => {
    const cacheDir = freshCache();
    const other = { ...tool(), integrity: 'sha512-other' };
    await expect(fetchPackage(other, { cacheDir, env, say: silent })).rejects.toThrow(
      `@scope/tool 1.0.0 could not be fetched from the npm registry: the tarball has the hash ${integrity}, expected sha512-other`,
    );
    expect(readdirSync(cacheDir)).toEqual(['.locks']);
  });

  test('is named by the error, if the registry does not have it', async () => {
    const missing = { ...tool(), name: 'missing' };
    await expect(fetchPackage(missing, { cacheDir: freshCache(), env, say: silent })).rejects.toThrow(
      /^missing 1\.0\.0 could not be fetched from the npm registry: .*404/s,
    );
  });
});
