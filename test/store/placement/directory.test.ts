import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteAlias, setAlias } from '../../../src/store/aliases.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { dropIndex } from '../../../src/store/drop-index.ts';
import { ensureIndex, findIndex, markDeleting } from '../../../src/store/indexes.ts';
import { Directory } from '../../../src/store/placement/directory.ts';
import type { Claim } from '../../../src/store/placement/names.ts';
import { saveQuerySet } from '../../../src/store/query-sets.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { indexConfig, uniqueName } from '../builders.ts';

const opened: TestDatabase[] = [];
let databases: Map<string, Db>;
let directory: Directory;

beforeAll(async () => {
  for (let at = 0; at < 3; at++) opened.push(await openPostgresDatabase());
  databases = new Map(['main', 'east', 'west'].map((name, at) => [name, (opened[at] as TestDatabase).db]));
  directory = new Directory(databases);
});
afterAll(() => Promise.all(opened.map((one) => one.close())));

const dbOf = (database: string) => databases.get(database) as Db;

const createUnder = (database: string, name: string, claim: Claim | null) =>
  transaction(dbOf(database), (trx) => ensureIndex(trx, name, indexConfig(), { claim }));

const create = (database: string, name: string) =>
  directory.namesOf(database).under('index', name, (claim) => createUnder(database, name, claim));

async function drop(database: string, name: string): Promise<void> {
  const { no } = await transaction(dbOf(database), (trx) => markDeleting(trx, name, { force: true }));
  await dropIndex(dbOf(database), no);
}

/** Crashes a creation after its claim. */
async function claimOnly(database: string, name: string): Promise<Claim> {
  let claimed: Claim | null = null;
  const crash = directory.namesOf(database).under('index', name, async (claim) => {
    claimed = claim;
    throw new Error('crash');
  });
  await expect(crash).rejects.toThrow('crash');
  return claimed as unknown as Claim;
}

const holders = async (name: string) => {
  const found = await Promise.all([...databases].map(async ([key, db]) => ((await findIndex(db, name)) ? [key] : [])));
  return found.flat();
};

describe('a name', () => {
  test.each([
    ['main', 'east'],
    ['east', 'main'],
    ['east', 'west'],
  ])('that %s holds cannot be created in %s', async (first, second) => {
    const name = uniqueName('held');
    await create(first, name);
    await expect(create(second, name)).rejects.toMatchObject({
      type: 'NameTaken',
      message: expect.stringContaining(`the database ${first} has`),
    });
    expect(await holders(name)).toEqual([first]);
    expect(await create(first, name)).toMatchObject({ created: false });
  });

  test.each([
    ['east', 'west'],
    ['east', 'main'],
    ['main', 'east'],
  ])('that was deleted in %s can be created in %s, and again where it was', async (first, second) => {
    const name = uniqueName('freed');
    await create(first, name);
    await drop(first, name);
    await create(second, name);
    expect(await holders(name)).toEqual([second]);
    await drop(second, name);
    await create(first, name);
    expect(await holders(name)).toEqual([first]);
  });

  test('whose creation crashed after its claim is free for every database', async () => {
    const name = uniqueName('crashed');
    await claimOnly('east', name);
    expect(await directory.databaseOf('index', name)).toBe('east');
    await create('west', name);
    await drop('west', name);
    await claimOnly('east', name);
    await create('main', name);
    expect(await holders(name)).toEqual(['main']);
  });

  test('is not created by a creation that comes late, after another database got the name', async () => {
    const name = uniqueName('late');
    const claim = await claimOnly('east', name);
    await create('west', name);
    await expect(createUnder('east', name, claim)).rejects.toMatchObject({ name: 'ClaimNeeded' });
    expect(await holders(name)).toEqual(['west']);
  });

  test('is free again after a crash between the revocation of its claim and the removal of its row', async () => {
    const name = uniqueName('revoked');
    const claim = await claimOnly('east', name);
    await dbOf('east')
      .insertInto('reembed.revoked_claims' as never)
      .values({ claim } as never)
      .execute();
    await create('east', name);
    expect(await holders(name)).toEqual(['east']);
    expect(await directory.databaseOf('index', name)).toBe('east');
  });

  test('is created in one database only by creations everywhere at once', async () => {
    for (let round = 0; round < 20; round++) {
      const name = uniqueName('raced');
      const outcomes = await Promise.allSettled(['main', 'east', 'west'].map((database) => create(database, name)));
      const created = outcomes.filter(({ status }) => status === 'fulfilled');
      expect(created.length).toBeLessThanOrEqual(1);
      expect(await holders(name)).toHaveLength(created.length);
      const [holder] = await holders(name);
      if (holder !== undefined && holder !== 'main') expect(await directory.databaseOf('index', name)).toBe(holder);
    }
  });

  test('of an alias and of an index are the same in all databases', async () => {
    const [index, other, alias] = [uniqueName('index'), uniqueName('other'), uniqueName('alias')];
    await create('east', index);
    await create('main', other);
    const point = (database: string, to: string) =>
      directory
        .namesOf(database)
        .under('index', alias, (claim) => setAlias(dbOf(database), alias, to, { force: true, claim }));
    await point('east', index);
    await expect(create('main', alias)).rejects.toMatchObject({ type: 'NameTaken' });
    await expect(point('main', other)).rejects.toMatchObject({ type: 'NameTaken' });
    await deleteAlias(dbOf('east'), alias);
    expect(await point('main', other)).toMatchObject({ index: other });
  });

  test('of a query set is one for all databases, and may be that of an index', async () => {
    const name = uniqueName('set');
    const save = (database: string) =>
      directory
        .namesOf(database)
        .under('query-set', name, (claim) =>
          saveQuerySet(dbOf(database), name, [{ id: 'q', text: 'cat', relevant: [] }], { claim }),
        );
    await save('east');
    await save('east');
    await expect(save('main')).rejects.toMatchObject({ type: 'NameTaken' });
    await create('main', name);
  });

  test('cannot be created without a claim in a database that belongs to another one', async () => {
    const name = uniqueName('unclaimed');
    await dbOf('west')
      .updateTable('reembed.database_identity' as never)
      .set({ name: 'west' } as never)
      .execute();
    await expect(createUnder('west', name, null)).rejects.toMatchObject({ name: 'ClaimNeeded' });
    expect(await holders(name)).toEqual([]);
  });
});

describe('the directory', () => {
  test('forgets names that are gone, and no others', async () => {
    const [gone, kept, crashed] = [uniqueName('gone'), uniqueName('kept'), uniqueName('crashed')];
    await create('east', gone);
    await create('east', kept);
    await claimOnly('east', crashed);
    await drop('east', gone);
    expect(await directory.prune('east')).toBeGreaterThanOrEqual(2);
    expect(await directory.databaseOf('index', gone)).toBeUndefined();
    expect(await directory.databaseOf('index', crashed)).toBeUndefined();
    expect(await directory.databaseOf('index', kept)).toBe('east');
  });

  test('takes the names of a database in that had indexes before, and tells which are taken', async () => {
    const [own, same] = [uniqueName('own'), uniqueName('same')];
    const before = await openPostgresDatabase();
    opened.push(before);
    for (const name of [own, same]) await transaction(before.db, (trx) => ensureIndex(trx, name, indexConfig()));
    await create('east', same);
    const wider = new Directory(new Map([...databases, ['north', before.db]]));
    expect(await wider.adopt('north')).toEqual([{ kind: 'index', name: same, database: 'east' }]);
    expect(await wider.databaseOf('index', own)).toBe('north');
  });
});
