import { afterAll, beforeAll, expect, test } from 'vitest';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { endOf, trackerWhen } from '../../support/rig.ts';
import { openWorld, Steered, type World } from '../support/steered-reindex.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

test('a reindex that loses its lock ends the attempt immediately, and copies the rest with a new lock', async () => {
  const steered = await Steered.open(world);
  const held = world.model.holdBack(/^text 25 /);
  const handle = await steered.start({});
  await held.asked;
  const { lock } = await trackerWhen(handle, ({ lockExpireTime }) => lockExpireTime !== null);
  await releaseLock(world.db, lock as string);
  held.release();
  // Ten tries of the activity would take three minutes, and none of them could find the lock again.
  const failed = await trackerWhen(handle, ({ status }) => status === 'failed');
  expect(failed).toMatchObject({ attempts: 1, errors: [{ message: expect.stringContaining(`${lock} was released`) }] });
  await handle.signal('restart');
  expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 2, data: { copied: 10 } });
  expect(await steered.served()).toEqual(steered.expected);
});
