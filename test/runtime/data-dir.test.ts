import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDataDir } from '../../src/runtime/data-dir.ts';
import { freshFolder } from './servers/fixtures/folder.ts';

const linux = process.platform === 'linux';

describe('a data directory', () => {
  test.each([
    ['lies in a file system that makes no folders', () => '/proc/none/such', linux],
    ['is a folder of a file system that takes no files', () => '/proc', linux],
    ['is a file', () => file(), true],
    ['lies below a file', () => path.join(file(), 'deep', 'data'), true],
    ['is a device', () => '/dev/null', linux],
    ['has a name that no file system takes', () => path.join(freshFolder(), 'made', 'x'.repeat(300)), true],
  ])('is refused with the option, what it must name, and the reason, if it %s', async (_what, folderOf, here) => {
    if (!here) return;
    const folder = folderOf();
    await expect(openDataDir(folder)).rejects.toMatchObject({
      type: 'InvalidSetting',
      message: expect.stringMatching(
        /^--data-dir \(REEMBED_DATA_DIR\) must name a folder that can be made and written to; ".+" cannot: ./,
      ),
    });
    if (folder.includes('made')) expect(existsSync(path.dirname(folder))).toBe(false);
  });

  test('is created with its parent folders, for this user only, and contains only its lock', async () => {
    const folder = path.join(freshFolder(), 'deep', 'data');
    const release = await openDataDir(folder);
    expect(readdirSync(folder)).toEqual(['.lock']);
    await expect(openDataDir(folder)).rejects.toMatchObject({
      type: 'DataDirInUse',
      message: expect.stringMatching(/in use by another process \(pid \d+\).*--data-dir \(REEMBED_DATA_DIR\)/),
    });
    await release();
    await (await openDataDir(folder))();
  });
});

function file(): string {
  const name = path.join(freshFolder(), 'file');
  writeFileSync(name, 'text');
  return name;
}
