import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tracker } from '../../src/contract/tasks.ts';
import { transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { findIndex, markDeleting } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { listFailed } from '../../src/store/staging.ts';
import { restartTask } from '../../src/temporal/index.ts';
import { uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

const OBJECTS = 40;
/** Slow enough to steer it: one activity, which takes ten seconds, does not look at all objects. */
const SLOW = { ratePerSecond: 3 };

let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let rig: Rig;
beforeAll(async () => {
  database = await openPostgresDatabase();
  environment = await startTemporal('dev');
  rig = await startRig({ environment, db: database.db });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

const idOf = (at: number) => `d${String(at).padStart(3, '0')}`;

/** An index of which some objects have lost their parts. */
async function brokenIndex(...broken: number[]): Promise<string> {
  const { db } = database;
  const name = uniqueName('index');
  const { no } = await givenIndex(db, name);
  const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: idOf(at), payload: `the text of number ${at}` }));
  expect(await rig.run('upsert', { index: name, items })).toMatchObject({ status: 'done' });
  await sql`delete from ${tablesOf(no).parts} where object_id = any(${broken.map(idOf)}::text[])`.execute(db);
  return name;
}

const listedOf = async ({ id }: Tracker) =>
  (await listFailed(database.db, id, { after: null, limit: 100 })).map(({ objectId, stage, reason }) => [
    objectId,
    stage,
    reason,
  ]);

describe('an audit', () => {
  test('counts what is broken in its tracker, lists it, and repairs it on request', async () => {
    const index = await brokenIndex(3, 17);
    const found = await rig.run('audit', { index });
    expect(found).toMatchObject({
      status: 'done',
      detail: `${OBJECTS} objects, 2 broken: 2 without parts; 2 left (see the failed items)`,
      progress: { done: OBJECTS, total: OBJECTS, failed: 2 },
      data: { index, broken: 2, found: { 'without-parts': 2 }, repaired: 0, failed: 2, listed: 2 },
    });
    expect(await listedOf(found)).toEqual([
      ['d003', 'audit', 'without-parts'],
      ['d017', 'audit', 'without-parts'],
    ]);
    const repaired = await rig.run('audit', { index, repair: true });
    expect(repaired).toMatchObject({
      status: 'done',
      detail: `${OBJECTS} objects, 2 broken: 2 without parts; 2 repaired`,
      progress: { failed: 0 },
      data: { broken: 2, repaired: 2, failed: 0, listed: 0 },
    });
    expect(await rig.run('audit', { index })).toMatchObject({ detail: `${OBJECTS} objects, nothing is broken` });
  });

  test('pauses between two pages, and continues where it was', async () => {
    const index = await brokenIndex(39);
    const handle = await rig.start('audit', { index, ...SLOW });
    await trackerWhen(handle, ({ status, progress }) => status === 'processing' && progress.total === OBJECTS);
    await handle.signal('pause');
    const { progress } = await trackerWhen(handle, ({ status }) => status === 'paused');
    expect(progress.done).toBeLessThan(OBJECTS);
    await handle.signal('resume');
    const ended = await endOf(handle);
    expect(ended).toMatchObject({ status: 'done', progress: { done: OBJECTS, failed: 1 } });
    expect(ended.attempts).toBe(1);
  });

  test('that is canceled ends soon', async () => {
    const index = await brokenIndex();
    const handle = await rig.start('audit', { index, ratePerSecond: 0.01 });
    await trackerWhen(handle, ({ progress }) => progress.total === OBJECTS);
    await handle.signal('cancel', 'enough');
    expect(await endOf(handle)).toMatchObject({ status: 'canceled' });
  });

  test('continues on another worker when its worker is gone', async () => {
    const { db } = database;
    const index = await brokenIndex(0, 39);
    const first = await startRig({ environment, db });
    const handle = await first.start('audit', { index, ...SLOW });
    await trackerWhen(handle, ({ progress }) => progress.total === OBJECTS);
    await first.stop();
    const second = await startRig({ environment, db, taskQueue: first.taskQueue });
    try {
      const ended = await endOf(handle);
      expect(ended).toMatchObject({ status: 'done', attempts: 1, progress: { done: OBJECTS, failed: 2 } });
      expect((await listedOf(ended)).map(([id]) => id)).toEqual(['d000', 'd039']);
    } finally {
      await second.stop();
    }
  });

  test('audits again when it is restarted, or only what is on its list', async () => {
    const { db } = database;
    const index = await brokenIndex(5, 6);
    const { id } = await rig.run('audit', { index });
    const no = (await findIndex(db, index))?.no ?? 0;
    await rig.run('upsert', { index, items: [{ id: idOf(5), payload: 'words of today' }] });
    await sql`delete from ${tablesOf(no).parts} where object_id = ${idOf(7)}`.execute(db);
    const handle = rig.client.workflow.getHandle(id);
    await restartTask(rig.client, id, { onlyFailed: true });
    const few = await endOf(handle);
    expect(few).toMatchObject({ status: 'done', progress: { done: 2, failed: 1 } });
    expect((await listedOf(few)).map(([object]) => object)).toEqual([idOf(6)]);
    await restartTask(rig.client, id);
    const all = await endOf(handle);
    expect(all).toMatchObject({ status: 'done', progress: { done: OBJECTS, failed: 2 } });
    expect((await listedOf(all)).map(([object]) => object)).toEqual([idOf(6), idOf(7)]);
  });

  test('resolves an alias when it begins', async () => {
    const index = await brokenIndex(1);
    const alias = uniqueName('alias');
    await sql`insert into reembed.aliases select ${alias}, no from reembed.indexes where name = ${index}`.execute(
      database.db,
    );
    expect(await rig.run('audit', { index: alias })).toMatchObject({ status: 'done', data: { broken: 1 } });
  });

  test('ends with the reason when its index is deleted meanwhile', async () => {
    const { db } = database;
    const index = await brokenIndex();
    const no = (await findIndex(db, index))?.no ?? 0;
    const handle = await rig.start('audit', { index, ...SLOW });
    await trackerWhen(handle, ({ progress }) => progress.total === OBJECTS);
    await transaction(db, (trx) => markDeleting(trx, index, { force: true }));
    await dropIndex(db, no);
    const { status, errors } = await endOf(handle);
    expect(status).not.toBe('done');
    // It may look between the mark and the end of the deletion.
    expect(['IndexDeleting', 'IndexNotFound']).toContain(errors[0]?.type);
  });

  test.each([
    [{ index: 'nowhere' }, 'IndexNotFound', /nowhere/],
    [{ index: '' }, 'InvalidInput', /index/],
    [{ index: 'docs', ratePerSecond: 0 }, 'InvalidInput', /ratePerSecond/],
    [{ index: 'docs', after: 'b', until: 'a' }, 'InvalidInput', /until/],
    [{ index: 'docs', after: 'a', until: 'a' }, 'InvalidInput', /until/],
    [{ index: 'docs', fix: true }, 'InvalidInput', /fix/],
  ])('with the input %j fails once, as %s', async (input, type, message) => {
    const { status, attempts, errors } = await rig.run('audit', input as never);
    expect({ status: status === 'done', attempts, type: errors[0]?.type }).toEqual({
      status: false,
      attempts: 1,
      type,
    });
    expect(errors[0]?.message).toMatch(message);
  });

  test('is started by a schedule of Temporal with nothing but its body', async () => {
    const index = await brokenIndex(2);
    const scheduleId = uniqueName('schedule');
    const schedule = await rig.client.schedule.create({
      scheduleId,
      spec: {},
      action: { type: 'startWorkflow', workflowType: 'auditIndex', taskQueue: rig.taskQueue, args: [{ index }] },
    });
    await schedule.trigger();
    try {
      for (const endMs = Date.now() + 90_000; ; await delay(50)) {
        const [run] = (await schedule.describe()).info.recentActions;
        if (run?.action.type === 'startWorkflow') {
          const ended = await endOf(rig.client.workflow.getHandle(run.action.workflow.workflowId));
          expect(ended).toMatchObject({ type: 'audit', status: 'done', data: { broken: 1 } });
          return;
        }
        if (Date.now() > endMs) throw new Error('the schedule started nothing');
      }
    } finally {
      await schedule.delete();
    }
  });
});
