import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findIndex } from '../../../src/store/indexes.ts';
import { getObject } from '../../../src/store/objects.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import { createSlowModel } from '../support/slow-model.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('a forward to an index whose model is slow', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  const model = createSlowModel(16);

  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db, embedder: model.embedder });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  test.each([1, 20])('does not delay a write of %s items: the reindex copies them', async (count) => {
    const [source, dest, alias] = [`source-${count}`, `dest-${count}`, `alias-${count}`];
    await givenIndex(database.db, source, { alias });
    const items = Array.from({ length: count }, (_, at) => ({ id: `k${at}`, payload: `held back ${at}` }));
    // The lock is taken, and the model of the new index is asked whether it answers.
    const asked = model.holdBack(/^hello$/);
    const reindex = await rig.start('reindex', { source: alias, dest, destModel });
    await asked.asked;
    const held = model.holdBack(/^held back/);
    const written = await rig.run('upsert', { index: alias, items });
    expect(written).toMatchObject({
      status: 'done',
      detail: expect.stringContaining(`${count} left to the reindex`),
      data: { written: count, forwarded: 0, forwardFailed: count },
    });
    held.release();
    asked.release();
    expect(await endOf(reindex)).toMatchObject({ status: 'done', data: { verified: { source: count, dest: count } } });
    const index = await findIndex(database.db, dest);
    expect(index && (await getObject(database.db, index, 'k0'))).toMatchObject({ version: written.version });
  });

  test('changes nothing newer when it arrives late', async () => {
    await givenIndex(database.db, 'source', { alias: 'alias' });
    const asked = model.holdBack(/^hello$/);
    const reindex = await rig.start('reindex', { source: 'alias', dest: 'dest', destModel });
    await asked.asked;
    const held = model.holdBack(/^old/);
    const old = await rig.run('upsert', { index: 'alias', items: [{ id: 'k', payload: 'old' }] });
    expect(old).toMatchObject({ status: 'done', data: { forwardFailed: 1 } });
    const newer = await rig.run('upsert', { index: 'alias', items: [{ id: 'k', payload: 'new' }] });
    expect(newer).toMatchObject({ status: 'done', data: { forwarded: 1 } });
    held.release();
    asked.release();
    expect(await trackerWhen(reindex, ({ status }) => status === 'done')).toMatchObject({ attempts: 1 });
    const index = await findIndex(database.db, 'dest');
    expect(index && (await getObject(database.db, index, 'k'))).toMatchObject({
      payload: 'new',
      version: newer.version,
    });
  });
});
