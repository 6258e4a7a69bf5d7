import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Place, Places } from '../../../src/api/places/places.ts';
import { queueOfDatabase } from '../../../src/contract/databases.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { ensureIndex } from '../../../src/store/indexes.ts';
import { Directory } from '../../../src/store/placement/directory.ts';
import { indexConfig, uniqueName } from '../../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { silentDatabase } from '../support.ts';

const silent = silentDatabase();
let main: TestDatabase;
let east: TestDatabase;
let directory: Directory;

beforeAll(async () => {
  [main, east] = await Promise.all([openPostgresDatabase(), openPostgresDatabase()]);
  directory = new Directory(databases());
});
afterAll(() => Promise.all([main.close(), east.close(), silent.destroy()]));

const databases = (change: Record<string, Db> = {}) =>
  new Map(Object.entries({ main: main.db, east: east.db, ...change }));

/** The places of an API for which some databases may be away. */
function placesOf(change: Record<string, Db> = {}): Places {
  const all = databases(change);
  const names = new Directory(all);
  const [first, ...others] = [...all].map(
    ([name, db]): Place => ({
      ...{ name, db, background: db, names: names.namesOf(name), check: async () => {} },
      taskQueue: queueOfDatabase('reembed', name),
      searching: {} as Place['searching'],
    }),
  );
  return new Places(first as Place, others, names);
}

async function create(database: 'main' | 'east'): Promise<string> {
  const name = uniqueName(database);
  const db = databases().get(database) as Db;
  await directory
    .namesOf(database)
    .under('index', name, (claim) => transaction(db, (trx) => ensureIndex(trx, name, indexConfig(), { claim })));
  return name;
}

describe('a name', () => {
  test('is found in its database, and in no other one', async () => {
    const places = placesOf();
    for (const database of ['main', 'east'] as const) {
      const name = await create(database);
      for (let time = 0; time < 2; time++) expect((await places.find('index', name))?.name).toBe(database);
    }
    expect(await places.find('index', uniqueName('nowhere'))).toBeUndefined();
  });

  test('is found while the main database is away, which may have a name that no other one has', async () => {
    const name = await create('east');
    const places = placesOf({ main: silent });
    expect((await places.find('index', name))?.name).toBe('east');
    await expect(places.find('index', uniqueName('nowhere'))).rejects.toMatchObject({
      type: 'DatabaseUnavailable',
      message: 'the database main does not answer',
    });
  });

  test('of a database that is away is known by the directory, and others are not found', async () => {
    const name = await create('east');
    const places = placesOf({ east: silent });
    await expect(places.find('index', name)).rejects.toMatchObject({
      type: 'DatabaseUnavailable',
      message: `the database east, which has the index or alias ${name}, does not answer`,
    });
    expect(await places.find('index', uniqueName('nowhere'))).toBeUndefined();
  });
});

test('a list over all databases names those that do not answer, and fails if none does', async () => {
  const list = (places: Places) =>
    places.collect(
      async ({ name, db }) =>
        (await db.selectFrom('reembed.indexes').select('name').limit(1).execute()).map(() => name),
      (name) => name,
    );
  await create('main');
  await create('east');
  expect(await list(placesOf())).toEqual({ items: ['east', 'main'] });
  expect(await list(placesOf({ east: silent }))).toEqual({ items: ['main'], unavailable: ['east'] });
  expect(await list(placesOf({ main: silent }))).toEqual({ items: ['east'], unavailable: ['main'] });
  await expect(list(placesOf({ main: silent, east: silent }))).rejects.toMatchObject({ type: 'DatabaseUnavailable' });
});
