import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admitItems } from '../../../src/store/admission.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';

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

// A worker that dies after its local activities and before it could report them: another one runs them again.
test('a small write that is started again after its items were dropped ends with the same result', async () => {
  const { db } = database;
  const index = await givenIndex(db, 'docs');
  const items = [
    { id: 'a', payload: 'a lion' },
    { id: 'b', payload: 'a hare' },
  ];
  const accepted = await admitItems(db, { staging: 'first/1', index, name: 'docs', items, field: 'items' });
  const first = await rig.run('upsert', { index: 'docs' }, undefined, { accepted });
  expect(first).toMatchObject({ status: 'done', data: { written: 2, failed: 0 } });

  const again = await rig.run('upsert', { index: 'docs' }, undefined, { accepted });
  expect(again).toMatchObject({ status: 'done', detail: first.detail, data: first.data, version: first.version });
});

test('a write whose items are gone for another reason fails instead of reporting done', async () => {
  await givenIndex(database.db, 'others');
  const accepted = { version: 1, total: 2, staging: 'never/1' };
  expect(await rig.run('upsert', { index: 'others' }, undefined, { accepted })).toMatchObject({
    status: 'failed',
    errors: [{ type: 'TaskClosed' }],
  });
});
