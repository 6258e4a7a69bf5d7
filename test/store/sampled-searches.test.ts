import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { deleteAlias, setAlias } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import {
  addSampledSearches,
  dropExpiredSearches,
  endSampling,
  getSampling,
  listSampledSearches,
  type NewSampledSearch,
  pickSampledTexts,
  setSampling,
} from '../../src/store/sampled-searches.ts';
import { onBothDatabases } from '../support/databases.ts';
import { createIndex, uniqueName } from './builders.ts';

const HOUR = 3_600;

async function givenAlias(db: Db, sampling = { share: 0.5, keepSeconds: HOUR }): Promise<string> {
  const alias = uniqueName('alias');
  await setAlias(db, alias, (await createIndex(db)).name, { force: true });
  await setSampling(db, alias, sampling);
  return alias;
}

const search = (alias: string, text: string, over: Partial<NewSampledSearch> = {}): NewSampledSearch => ({
  ...{ alias, text, index: 'docs-v1', limit: 10, filtered: false, hits: ['a'], ageSeconds: 0 },
  ...over,
});

onBothDatabases((database) => {
  const textsOf = async (alias: string) =>
    (await listSampledSearches(database().db, alias, { after: null, limit: 100 })).searches.map(({ text }) => text);
  const storedOf = async (alias: string) => {
    const { rows } = await sql<{ text: string }>`
      select text from reembed.sampled_searches where alias = ${alias} order by seq`.execute(database().db);
    return rows.map(({ text }) => text);
  };

  it('a sampled search keeps its text, time, limit, filter presence and hits', async () => {
    const { db } = database();
    const alias = await givenAlias(db);
    const given = search(alias, 'un café “chaud”', { filtered: true, limit: 3, hits: ['a', '"b"'], ageSeconds: 60 });
    expect(await addSampledSearches(db, [given])).toBe(1);
    const { searches } = await listSampledSearches(db, alias, { after: null, limit: 10 });
    expect(searches).toEqual([
      {
        ...{ id: expect.stringMatching(/^\d+$/), text: 'un café “chaud”', index: 'docs-v1' },
        ...{ limit: 3, filtered: true, hits: ['a', '"b"'], time: expect.any(String) },
      },
    ]);
    const { rows } = await sql<{ age: number }>`
      select extract(epoch from now() - ${searches[0]?.time}::timestamptz)::float8 as age`.execute(db);
    expect(rows[0]?.age).toBeGreaterThanOrEqual(60);
    expect(await getSampling(db, alias)).toMatchObject({ share: 0.5, keepSeconds: HOUR, searches: 1 });
  });

  it('searches of an alias that samples none, or that does not exist, are not kept', async () => {
    const { db } = database();
    const [on, off] = [await givenAlias(db), await givenAlias(db)];
    await setSampling(db, off, { share: 0, keepSeconds: HOUR });
    expect(await addSampledSearches(db, [search(off, 'x'), search(on, 'y'), search('nowhere', 'z')])).toBe(1);
    expect([await textsOf(off), await textsOf(on)]).toEqual([[], ['y']]);
  });

  it('a share of 0 keeps what is there, and an end deletes it', async () => {
    const { db } = database();
    const alias = await givenAlias(db);
    await addSampledSearches(db, [search(alias, 'x')]);
    await setSampling(db, alias, { share: 0, keepSeconds: HOUR });
    expect(await textsOf(alias)).toEqual(['x']);
    await endSampling(db, alias);
    expect(await storedOf(alias)).toEqual([]);
    expect(await getSampling(db, alias)).toEqual({
      ...{ share: 0, keepSeconds: null, searches: 0, oldest: null, newest: null },
    });
    await endSampling(db, alias);
  });

  it('an alias takes its sampled searches along when it moves, and they are deleted with it', async () => {
    const { db } = database();
    const alias = await givenAlias(db);
    await addSampledSearches(db, [search(alias, 'x')]);
    await setAlias(db, alias, (await createIndex(db)).name, { force: true });
    expect(await textsOf(alias)).toEqual(['x']);
    await deleteAlias(db, alias);
    expect(await storedOf(alias)).toEqual([]);
    await expect(getSampling(db, alias)).rejects.toMatchObject({ type: 'AliasNotFound' });
    await expect(endSampling(db, alias)).rejects.toMatchObject({ type: 'AliasNotFound' });
    await expect(setSampling(db, alias, { share: 1, keepSeconds: 60 })).rejects.toMatchObject({
      type: 'AliasNotFound',
    });
  });

  it('only the newest searches of each alias are kept', async () => {
    const { db } = database();
    const [alias, other] = [await givenAlias(db), await givenAlias(db)];
    await addSampledSearches(db, [search(other, 'o1'), search(other, 'o2')], 5);
    for (const batch of [
      ['a', 'b', 'c'],
      ['d', 'e'],
      ['f', 'g'],
    ]) {
      await addSampledSearches(
        db,
        batch.map((text) => search(alias, text)),
        5,
      );
    }
    expect(await storedOf(alias)).toEqual(['c', 'd', 'e', 'f', 'g']);
    expect(await storedOf(other)).toEqual(['o1', 'o2']);
  });

  it('an expired search is not shown, counted or used, and then deleted', async () => {
    const { db } = database();
    const [alias, other] = [await givenAlias(db), await givenAlias(db, { share: 1, keepSeconds: 10 * HOUR })];
    const old = ['old 1', 'old 2'].map((text) => search(alias, text, { ageSeconds: HOUR + 1 }));
    await addSampledSearches(db, [...old, search(alias, 'new'), search(other, 'kept', { ageSeconds: HOUR + 1 })]);
    expect(await textsOf(alias)).toEqual(['new']);
    expect(await getSampling(db, alias)).toMatchObject({ searches: 1 });
    expect(await pickSampledTexts(db, { alias, count: 10 })).toMatchObject([{ text: 'new' }]);
    expect(await dropExpiredSearches(db, 1)).toBe(1);
    expect(await dropExpiredSearches(db, 10)).toBe(1);
    expect(await dropExpiredSearches(db, 10)).toBe(0);
    expect([await storedOf(alias), await storedOf(other)]).toEqual([['new'], ['kept']]);
  });

  it('pages go from the newest search to the oldest, and end by number and by bytes', async () => {
    const { db } = database();
    const alias = await givenAlias(db);
    await addSampledSearches(
      db,
      ['a', 'b', 'c', 'd', 'e'].map((text) => search(alias, text)),
    );
    const read = async (options: { limit: number; bytes?: number }) => {
      const pages: string[][] = [];
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof listSampledSearches>> = await listSampledSearches(db, alias, {
          ...options,
          after,
        });
        pages.push(page.searches.map(({ text }) => text));
        after = page.next;
      } while (after !== null);
      return pages;
    };
    expect(await read({ limit: 2 })).toEqual([['e', 'd'], ['c', 'b'], ['a']]);
    expect(await read({ limit: 5 })).toEqual([['e', 'd', 'c', 'b', 'a']]);
    expect(await read({ limit: 5, bytes: 1 })).toEqual([['e'], ['d'], ['c'], ['b'], ['a']]);
  });

  it('a set has each text once: the most recent ones, or those of a seed', async () => {
    const { db } = database();
    const alias = await givenAlias(db);
    const texts = Array.from({ length: 30 }, (_, at) => `text ${at}`);
    const all = [...texts, ...texts.slice(0, 3)];
    await addSampledSearches(
      db,
      all.map((text) => search(alias, text)),
    );
    const pick = async (options: { count: number; seed?: number }) =>
      (await pickSampledTexts(db, { alias, ...options })).map(({ text }) => text);
    expect(await pick({ count: 5 })).toEqual(['text 2', 'text 1', 'text 0', 'text 29', 'text 28']);
    expect((await pick({ count: 100 })).sort()).toEqual([...texts].sort());
    const seeded = await pick({ count: 5, seed: 7 });
    expect(await pick({ count: 5, seed: 7 })).toEqual(seeded);
    expect(await pick({ count: 5, seed: 8 })).not.toEqual(seeded);
    expect(new Set(seeded).size).toBe(5);
    expect(await pickSampledTexts(db, { alias, count: 5 }, 'text 2'.length + 'text 1'.length)).toHaveLength(2);
  });
});
