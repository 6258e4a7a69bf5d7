import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { addSampledSearches, setSampling } from '../../src/store/sampled-searches.ts';
import { createIndex, uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

test('maintenance deletes all sampled searches that have expired, and keeps the others', async () => {
  const { db } = database;
  const alias = uniqueName('alias');
  await setAlias(db, alias, (await createIndex(db)).name, { force: true });
  await setSampling(db, alias, { share: 1, keepSeconds: 3_600 });
  const search = { alias, index: 'docs', limit: 10, filtered: false, hits: [] };
  // More than one statement deletes.
  const old = Array.from({ length: 2_500 }, (_, at) => ({ ...search, text: `old ${at}`, ageSeconds: 3_700 }));
  await addSampledSearches(db, [...old, { ...search, text: 'new', ageSeconds: 3_000 }]);
  const deps = givenDependencies(db, () => undefined);
  await new MockActivityEnvironment().run(createActivities(deps).control.dropExpired);
  const { rows } = await sql`select text from reembed.sampled_searches`.execute(db);
  expect(rows).toEqual([{ text: 'new' }]);
});
