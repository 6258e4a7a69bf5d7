import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { QUERY } from '../../../src/contract/names.ts';
import { restartTask } from '../../../src/temporal/index.ts';
import { endOf, trackerWhen } from '../../support/rig.ts';
import { type Hold, type Phase, stepsWhere } from '../support/phases.ts';
import { openWorld, Steered, type World } from '../support/steered-reindex.ts';

let world: World;
let hold: Hold | undefined;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => hold?.release());
afterAll(() => world?.close());

/** Canceled where it is held, while users write; returns its tracker at the end. */
async function cancelWhileHeld(steered: Steered, phase: Phase) {
  hold = await phase.hold(steered);
  const handle = await steered.start({ ...phase.input, retire: 'now' });
  await hold.reached();
  const writing = steered.write();
  if (!phase.holdsWriters) await writing;
  expect(await handle.query(QUERY.tracker)).toMatchObject({ attempts: 1, data: { phase: phase.phase } });
  await handle.signal('cancel', 'changed my mind');
  if (phase.cancel !== 'at once') {
    await handle.query(QUERY.tracker); // answered when the signal has been handled
    await hold.release();
  }
  const tracker = await endOf(handle);
  await hold.release();
  await writing;
  return tracker;
}

test.each(stepsWhere(({ cancel }) => cancel !== 'too late'))(
  'a cancel while %s ends the reindex; the source serves, and a restart copies only what is behind',
  async (_step, phase) => {
    const steered = await Steered.open(world);
    expect(await cancelWhileHeld(steered, phase)).toMatchObject({
      status: 'canceled',
      detail: 'canceled: changed my mind',
      lock: null,
      attempts: 1,
    });
    const { handle } = steered;
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(await steered.locks()).toEqual([]);
    expect(await steered.serving()).toBe(steered.source.name);
    expect(await steered.served()).toEqual(steered.expected);

    const behind = await steered.behind();
    if (phase.behind !== null) expect(behind).toBe(phase.behind);
    await restartTask(world.environment.client, handle.workflowId);
    const again = await endOf(world.environment.client.workflow.getHandle(handle.workflowId));
    expect(again).toMatchObject({ status: 'done', attempts: 2 });
    expect(Number(again.data.copied) + Number(again.data.tombstones)).toBe(behind);
    expect(await steered.serving()).toBe(steered.dest.name);
    expect(await steered.served()).toEqual(steered.expected);
    expect(await steered.locks()).toEqual([]);
    const retiring = world.environment.client.workflow.getHandle(`${handle.workflowId}/retire/2`);
    expect(await endOf(retiring)).toMatchObject({ status: 'done' });
    expect(await steered.isSourceThere()).toBe(false);
  },
);

test.each(stepsWhere(({ cancel }) => cancel === 'too late'))(
  'a cancel while %s is too late: the reindex is done, and keeps the source',
  async (_step, phase) => {
    const steered = await Steered.open(world);
    expect(await cancelWhileHeld(steered, phase)).toMatchObject({
      status: 'done',
      detail: expect.stringContaining(`the cancel came after the switch, ${steered.source.name} is kept`),
    });
    const { workflowId } = steered.handle;
    expect(await steered.locks()).toEqual([]);
    expect(await steered.serving()).toBe(steered.dest.name);
    expect(await steered.served()).toEqual(steered.expected);
    expect(await steered.isSourceThere()).toBe(true);
    const retiring = world.environment.client.workflow.getHandle(`${workflowId}/retire/1`);
    await expect(retiring.describe()).rejects.toThrow(WorkflowNotFoundError);

    await restartTask(world.environment.client, workflowId);
    expect(await endOf(world.environment.client.workflow.getHandle(workflowId))).toMatchObject({
      status: 'done',
      attempts: 2,
      detail: expect.stringContaining('nothing was left to do'),
    });
    expect(await steered.served()).toEqual(steered.expected);
  },
);

test('a cancel while the old index waits to be retired keeps it', async () => {
  const steered = await Steered.open(world);
  const handle = await steered.start({ retire: { after: '24h' } });
  expect(await endOf(handle)).toMatchObject({ status: 'done' });
  const retiring = world.environment.client.workflow.getHandle(`${handle.workflowId}/retire/1`);
  await trackerWhen(retiring, ({ status }) => status === 'waiting');
  await steered.write();
  await retiring.signal('cancel', 'we may need it');
  expect(await endOf(retiring)).toMatchObject({ status: 'canceled', detail: 'canceled: we may need it' });
  expect(await steered.isSourceThere()).toBe(true);
  expect(await steered.serving()).toBe(steered.dest.name);
  expect(await steered.served()).toEqual(steered.expected);
});
