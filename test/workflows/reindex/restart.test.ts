import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { QUERY } from '../../../src/contract/names.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { endOf, trackerWhen } from '../../support/rig.ts';
import { type Hold, stepsWhere } from '../support/phases.ts';
import { expectDone, openWorld, Steered, type World } from '../support/steered-reindex.ts';

let world: World;
let hold: Hold | undefined;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => hold?.release());
afterAll(() => world?.close());

test.each(stepsWhere(({ waits }) => !waits))('a restart while %s does not affect the reindex', async (_step, phase) => {
  const steered = await Steered.open(world);
  hold = await phase.hold(steered);
  const handle = await steered.start(phase.input ?? {});
  await hold.reached();
  const writing = steered.write();
  if (!phase.holdsWriters) await writing;
  const before = await handle.query<Tracker>(QUERY.tracker);
  expect(before).toMatchObject({ status: 'processing', data: { phase: phase.phase } });
  await handle.signal('restart');
  const { updateTime: _updateTime, steering, ...after } = await handle.query<Tracker>(QUERY.tracker);
  expect(before).toMatchObject(after);
  await hold.release();
  await writing;
  await expectDone(steered);
  expect(await endOf(handle)).toMatchObject({ links: before.links });
});

test.each(stepsWhere(({ waits }) => waits === true))(
  'a restart while %s makes the reindex check immediately',
  async (_step, phase) => {
    const steered = await Steered.open(world);
    hold = await phase.hold(steered);
    const handle = await steered.start({ waitSeconds: 86_400 });
    await hold.reached();
    await steered.write();
    const before = await handle.query<Tracker>(QUERY.tracker);
    await handle.signal('restart');
    // Nothing has changed: it waits again.
    await trackerWhen(handle, ({ status, updateTime }) => status === 'waiting' && updateTime > before.updateTime);
    await hold.release();
    await handle.signal('restart');
    await expectDone(steered);
  },
);

test('a restart while the old index waits to be retired deletes it immediately', async () => {
  const steered = await Steered.open(world);
  const handle = await steered.start({ retire: { after: '24h' } });
  await endOf(handle);
  const retiring = world.environment.client.workflow.getHandle(`${handle.workflowId}/retire/1`);
  await trackerWhen(retiring, ({ status }) => status === 'waiting');
  await steered.write();
  await retiring.signal('restart');
  expect(await endOf(retiring)).toMatchObject({ status: 'done' });
  expect(await steered.isSourceThere()).toBe(false);
  expect(await steered.served()).toEqual(steered.expected);
});
