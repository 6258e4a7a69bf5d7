import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../../support/rig.ts';
import { givenSource } from './world.ts';

/** At this rate, the rows take longer than one activity. */
const RATE = { ratePerSecond: 5 };
const ROWS = 100;

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  rig = await startRig({ environment, db: database.db, databaseUrl: database.url });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

/** A table with its source, whose index has all rows. */
async function givenSynced() {
  const id = randomUUID().slice(0, 8);
  const table = `articles_${id}`;
  await givenIndex(database.db, `docs-${id}`);
  await sql.raw(`create table ${table} (id int primary key, body text)`).execute(database.db);
  await sql.raw(`insert into ${table} select i, 'body ' || i from generate_series(1, ${ROWS}) i`).execute(database.db);
  const source = await givenSource(database.db, `s-${id}`, { index: `docs-${id}`, table, text: ['body'] });
  expect(await rig.run('sync', { source: source.name })).toMatchObject({ status: 'done' });
  return { source: source.name, index: `docs-${id}` };
}

async function expectThrottled(handle: WorkflowHandle, text: RegExp) {
  const { pace, detail } = await trackerWhen(handle, (tracker) => tracker.pace !== undefined);
  expect(pace).toMatchObject({ reason: 'rate-limit', text: expect.stringMatching(text), until: null });
  expect(detail).toMatch(text);
  await handle.signal('cancel');
  expect((await endOf(handle)).pace).toBeUndefined();
}

test('a sync, and the audits of a source and of an index, say that their rate slows them', async () => {
  const { source, index } = await givenSynced();
  await expectThrottled(await rig.start('sync', { source, ...RATE }), /throttled to 5\/s/);
  await expectThrottled(await rig.start('audit', { source, ...RATE }), /throttled, \d+ % of the last minute/);
  await expectThrottled(await rig.start('audit', { index, ...RATE }), /throttled, \d+ % of the last minute/);
});
