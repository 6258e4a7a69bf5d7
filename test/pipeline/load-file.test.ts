import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createLoader } from '../../src/pipeline/load.ts';
import { rejectionOf } from './support.ts';

/** A folder with `root/`, which is allowed, and `outside/` and `root-too/`, which are not. */
function folders() {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'reembed-load-')));
  onTestFinished(() => rmSync(base, { recursive: true }));
  for (const name of ['root', 'root/sub', 'outside', 'root-too']) mkdirSync(join(base, name));
  for (const name of ['root/a.txt', 'root/sub/b ü.txt', 'outside/secret.txt', 'root-too/secret.txt']) {
    writeFileSync(join(base, name), `text of ${name}`);
  }
  const root = join(base, 'root');
  const load = (uri: string, options: { maxBytes?: number; roots?: string[] } = {}) =>
    createLoader({
      fileRoots: options.roots ?? [root],
      allowPrivateAddresses: false,
      timeoutMs: 5_000,
      maxBytes: options.maxBytes,
    })({ uri });
  return { base, root, load };
}

test('loads text and JSON under a root', async () => {
  const { root, load } = folders();
  writeFileSync(join(root, 'c.JSON'), '{"title":"x"}');
  expect(await load(`file://${root}/a.txt`)).toBe('text of root/a.txt');
  expect(await load(`file://localhost${root}/a.txt`)).toBe('text of root/a.txt');
  expect(await load(pathToFileURL(join(root, 'sub/b ü.txt')).href)).toBe('text of root/sub/b ü.txt');
  expect(await load(`file://${root}/sub/../a.txt`)).toBe('text of root/a.txt');
  expect(await load(`file://${root}/c.JSON`)).toEqual({ title: 'x' });
});

test('a root may be a symbolic link, end in a slash, or be missing among others', async () => {
  const { base, root, load } = folders();
  symlinkSync(root, join(base, 'link'));
  const roots = [join(base, 'missing'), `${join(base, 'link')}/`];
  expect(await load(`file://${base}/link/a.txt`, { roots })).toBe('text of root/a.txt');
  expect(await load(`file://${root}/a.txt`, { roots })).toBe('text of root/a.txt');
});

test('without roots nothing is loaded, and the message names the setting', async () => {
  const { root, load } = folders();
  const error = await rejectionOf(load(`file://${root}/a.txt`, { roots: [] }), 'LoadRefused');
  expect(error.message).toContain('REEMBED_FILE_ROOTS');
});

test.each([
  ['a path elsewhere', (base: string) => `file://${base}/outside/secret.txt`],
  ['dots', (base: string) => `file://${base}/root/../outside/secret.txt`],
  ['encoded dots', (base: string) => `file://${base}/root/%2e%2e/outside/secret.txt`],
  ['half encoded dots', (base: string) => `file://${base}/root/.%2E/outside/secret.txt`],
  ['an encoded slash', (base: string) => `file://${base}/root/..%2foutside/secret.txt`],
  ['backslashes', (base: string) => `file://${base}/root\\..\\outside\\secret.txt`],
  ['twice encoded dots', (base: string) => `file://${base}/outside/%252e%252e/root/a.txt`],
  ['a folder whose name begins like the root', (base: string) => `file://${base}/root-too/secret.txt`],
  ['the root itself', (base: string) => `file://${base}/root`],
  ['another host', (base: string) => `file://evil.test${base}/root/a.txt`],
  ['a NUL', (base: string) => `file://${base}/root/a.txt%00.png`],
  ['a file that does not exist elsewhere', (base: string) => `file://${base}/outside/no-such-file`],
])('refuses %s', async (_name, uriIn) => {
  const { base, load } = folders();
  await rejectionOf(load(uriIn(base)), 'LoadRefused');
});

test('refuses symbolic links that lead out, of files and of folders, and follows those that stay inside', async () => {
  const { base, root, load } = folders();
  symlinkSync(join(base, 'outside/secret.txt'), join(root, 'file-out.txt'));
  symlinkSync('../outside', join(root, 'folder-out'));
  symlinkSync('sub/b ü.txt', join(root, 'inside.txt'));
  await rejectionOf(load(`file://${root}/file-out.txt`), 'LoadRefused');
  await rejectionOf(load(`file://${root}/folder-out/secret.txt`), 'LoadRefused');
  expect(await load(`file://${root}/inside.txt`)).toBe('text of root/sub/b ü.txt');
});

test('refuses folders, FIFOs and devices without waiting for them', async () => {
  const { root, load } = folders();
  execFileSync('mkfifo', [join(root, 'fifo')]);
  await rejectionOf(load(`file://${root}/fifo`), 'LoadRefused');
  await rejectionOf(load(`file://${root}/sub`), 'LoadRefused');
  await rejectionOf(load('file:///dev/zero', { roots: ['/dev'] }), 'LoadRefused');
});

test('a missing file, or a path below a file, is permanently not found', async () => {
  const { root, load } = folders();
  expect((await rejectionOf(load(`file://${root}/no.txt`), 'NotFound')).retryable).toBe(false);
  await rejectionOf(load(`file://${root}/a.txt/b`), 'NotFound');
});

test('a loop of symbolic links is refused', async () => {
  const { root, load } = folders();
  symlinkSync('loop', join(root, 'loop'));
  await rejectionOf(load(`file://${root}/loop`), 'LoadRefused');
});

test('the size limit holds for files', async () => {
  const { root, load } = folders();
  writeFileSync(join(root, 'large.txt'), 'x'.repeat(1_001));
  writeFileSync(join(root, 'fits.txt'), 'x'.repeat(1_000));
  expect(await load(`file://${root}/fits.txt`, { maxBytes: 1_000 })).toHaveLength(1_000);
  await rejectionOf(load(`file://${root}/large.txt`, { maxBytes: 1_000 }), 'TooLarge');
});

test.skipIf(process.platform !== 'linux')(
  'the size limit holds while reading, for a file that reports no size',
  async () => {
    const { load } = folders();
    await rejectionOf(load('file:///proc/cpuinfo', { maxBytes: 10, roots: ['/proc'] }), 'TooLarge');
  },
);

test('a binary file is not text', async () => {
  const { root, load } = folders();
  writeFileSync(join(root, 'image.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47]));
  await rejectionOf(load(`file://${root}/image.png`), 'UnsupportedMedia');
});
