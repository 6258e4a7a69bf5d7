import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lockDataDir, tryLock } from '../../../src/runtime/servers/locks.ts';
import { firstLine, killHard, startChild } from './fixtures/child.ts';
import { freshFolder } from './fixtures/folder.ts';

test('a second owner of a data directory gets an error with the folder and the owning process', async () => {
  const dir = freshFolder();
  const release = await lockDataDir(dir);
  await expect(lockDataDir(dir)).rejects.toMatchObject({ name: 'DataDirInUse', message: expect.stringContaining(dir) });
  await expect(lockDataDir(dir)).rejects.toThrow(`pid ${process.pid}`);
  await release();
  await release();
  await (await lockDataDir(dir))();
});

test('a data directory whose owner was killed is available immediately', async () => {
  const dir = freshFolder();
  const owner = startChild('./lock-child.ts', dir);
  try {
    expect(await firstLine(owner)).toBe('locked');
    await expect(lockDataDir(dir)).rejects.toThrow(`pid ${owner.pid}`);
  } finally {
    await killHard(owner);
  }
  const release = await lockDataDir(dir);
  await release();
  expect(readdirSync(path.join(dir, '.lock'))).toEqual([]);
});

test('exactly one of several processes that start at the same time gets the data directory', async () => {
  const dir = freshFolder();
  const children = Array.from({ length: 4 }, () => startChild('./lock-child.ts', dir));
  try {
    const answers = await Promise.all(children.map(firstLine));
    expect(answers.sort()).toEqual(['DataDirInUse', 'DataDirInUse', 'DataDirInUse', 'locked']);
  } finally {
    await Promise.all(children.map(killHard));
  }
});

test('repeated concurrent requests never give the lock to two, and always to one', async () => {
  const dir = freshFolder();
  // Each round starts with the lock of a dead process, since takeovers are where such locks go wrong.
  const dead = JSON.stringify({ pid: 2 ** 30, startTime: '1', place: 'elsewhere' });
  for (let round = 0; round < 20; round += 1) {
    mkdirSync(dir, { recursive: true });
    for (const ending of ['json', 'held']) writeFileSync(path.join(dir, `0000-${round}.${ending}`), dead);
    utimesSync(path.join(dir, `0000-${round}.json`), 0, 0);
    const results = await Promise.all(Array.from({ length: 6 }, () => tryLock(dir)));
    const held = results.flatMap((result) => (result.locked ? [result.release] : []));
    expect(held).toHaveLength(1);
    await held[0]?.();
  }
});

test('an invisible owner in another container keeps its lock while it renews it', async () => {
  const dir = freshFolder();
  const file = path.join(dir, 'other.json');
  writeFileSync(file, JSON.stringify({ pid: process.pid, startTime: '1', place: 'another container' }));
  writeFileSync(path.join(dir, 'other.held'), '');
  const beat = setInterval(() => utimesSync(file, new Date(), new Date()), 300);
  try {
    expect(await tryLock(dir)).toMatchObject({ locked: false });
  } finally {
    clearInterval(beat);
  }
  utimesSync(file, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
  const result = await tryLock(dir);
  expect(result.locked).toBe(true);
  if (result.locked) await result.release();
});

test('a lock file truncated by a crash of the machine is ignored', async () => {
  const dir = freshFolder();
  writeFileSync(path.join(dir, 'cut.json'), '');
  writeFileSync(path.join(dir, 'cut.held'), '');
  const result = await tryLock(dir);
  expect(result.locked).toBe(true);
  if (result.locked) await result.release();
});
