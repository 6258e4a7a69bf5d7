import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { endLeftOver } from '../../../src/runtime/servers/processes.ts';
import { firstLine, isThere, killHard, startChild } from './fixtures/child.ts';
import { freshFolder } from './fixtures/folder.ts';

test('a server whose process was killed ends immediately, without a graceful stop', async () => {
  const folder = freshFolder();
  const owner = startChild('./server-child.ts', folder);
  const pid = Number(await firstLine(owner));
  expect(await isThere(pid)).toBe(true);
  await killHard(owner);
  await expect.poll(() => isThere(pid), { timeout: 90_000 }).toBe(false);
  expect(existsSync(path.join(folder, 'asked'))).toBe(false);
});

test.each(['', '{"server":', '{}', '{"server":{"pid":-1,"startTime":"1","place":"x"},"parent":null}'])(
  'a note of a leftover server that reads %j names no process, and is removed',
  async (text) => {
    const file = path.join(freshFolder(), 'server.pid');
    writeFileSync(file, text);
    await endLeftOver('server', file);
    if (text !== '') expect(existsSync(file)).toBe(false);
  },
);
