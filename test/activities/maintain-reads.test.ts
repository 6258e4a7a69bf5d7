import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { setReads } from '../../src/store/protocol/reads.ts';
import { addReadCounts, getReadCounts } from '../../src/store/read-counts.ts';
import { createIndex, lockIn, uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

async function givenReads(): Promise<string> {
  const { db } = database;
  const { lock, taskId } = await lockIn(db, (await createIndex(db)).name, (await createIndex(db)).name);
  await setReads(db, { lock, taskId, alias: uniqueName('alias'), shadow: 1, canary: 0 });
  await addReadCounts(db, lock, new Map([['shadow.dropped', 1]]));
  return taskId;
}

test('maintenance drops the figures of reads of a task that Temporal no longer has, and keeps the others', async () => {
  const { db } = database;
  const [gone, kept] = [await givenReads(), await givenReads()];
  await sql`update reembed.reads set count_time = now() - interval '2 hours'`.execute(db);
  const recent = await givenReads();
  const deps = { ...givenDependencies(db, () => undefined), isTaskKnown: async (taskId: string) => taskId === kept };
  await new MockActivityEnvironment().run(createActivities(deps).control.dropExpired);
  expect(await getReadCounts(db, gone)).toBeUndefined();
  for (const taskId of [kept, recent]) {
    expect((await getReadCounts(db, taskId))?.counts).toEqual(new Map([['shadow.dropped', 1]]));
  }
});
