import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { QUERY } from '../../../src/contract/names.ts';
import { endOf, trackerWhen } from '../../support/rig.ts';
import { type Hold, PHASES, type Phase, stepsWhere } from '../support/phases.ts';
import { expectDone, openWorld, Steered, type World } from '../support/steered-reindex.ts';

let world: World;
let hold: Hold | undefined;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => hold?.release());
afterAll(() => world?.close());

/** Paused where it is held, while users write; returns after it was released. */
async function pauseWhileHeld(steered: Steered, phase: Phase) {
  hold = await phase.hold(steered);
  const handle = await steered.start(phase.input ?? {});
  await hold.reached();
  const writing = steered.write();
  if (!phase.holdsWriters) await writing;
  await handle.signal('pause');
  expect(await handle.query(QUERY.tracker)).toMatchObject({ status: 'paused' });
  await hold.release();
  await writing;
  return handle;
}

test.each(
  PHASES.flatMap((phase) =>
    phase.pause === 'too late' ? [] : [[phase.step, phase.pause.before, phase, phase.pause] as const],
  ),
)('a pause while %s stops the reindex before %s, until it is resumed', async (_step, _before, phase, { isThere }) => {
  const steered = await Steered.open(world);
  const handle = await pauseWhileHeld(steered, phase);
  await trackerWhen(handle, (tracker) => tracker.status === 'paused' && isThere(tracker));
  // It stays there, and the source serves what is written at that time.
  await steered.writeWithoutForward('paused', 'written while it is paused');
  await steered.write();
  const tracker = await trackerWhen(handle, ({ status }) => status === 'paused');
  expect(isThere(tracker)).toBe(true);
  expect(await steered.serving()).toBe(steered.source.name);
  expect(await steered.served()).toEqual(steered.expected);
  await handle.signal('resume');
  await expectDone(steered);
});

test.each(stepsWhere(({ pause }) => pause === 'too late'))(
  'a pause while %s is too late: the reindex is done',
  async (_step, phase) => {
    const steered = await Steered.open(world);
    await pauseWhileHeld(steered, phase);
    await expectDone(steered);
  },
);

test('a pause while the old index waits to be retired keeps it past its time, until resumed', async () => {
  const steered = await Steered.open(world);
  const handle = await steered.start({ retire: { after: '8s' } });
  await endOf(handle);
  const retiring = world.environment.client.workflow.getHandle(`${handle.workflowId}/retire/1`);
  await retiring.signal('pause');
  await trackerWhen(retiring, ({ status }) => status === 'paused');
  await steered.write();
  expect(await steered.isSourceThere()).toBe(true);
  await retiring.signal('resume');
  expect(await endOf(retiring)).toMatchObject({ status: 'done' });
  expect(await steered.isSourceThere()).toBe(false);
  expect(await steered.served()).toEqual(steered.expected);
});
