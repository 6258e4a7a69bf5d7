import { describe, expect, it } from 'vitest';
import type { Language } from '../../../src/contract/full-text.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { findByText, type TextQuery } from '../../../src/store/full-text/find.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { content, createIndex, failure, tombstone, vectorOf, writeIn } from '../builders.ts';

/** An object with one part for each text. */
function words(
  id: string,
  texts: string | string[],
  { language = 'english' as Language, metadata = {}, version = 1 } = {},
) {
  const parts = [texts].flat().map((text, part) => ({
    part,
    start: 0,
    end: text.length,
    isAverage: false,
    embedding: vectorOf(part),
    words: { language, text },
  }));
  return content(id, version, { metadata, parts });
}

onBothDatabases((database) => {
  const find = (db: Db, index: IndexRow, text: string, over: Partial<TextQuery> = {}) =>
    transaction(db, (trx) => findByText(trx, index, { text, language: 'english', limit: 10, ...over }));
  const idsFound = async (...args: Parameters<typeof find>) => (await find(...args)).matches.map(({ id }) => id);
  const indexOf = async (objects: ReturnType<typeof words>[]) => {
    const { db } = database();
    const index = await createIndex(db, { fullText: { language: 'english' } });
    await writeIn(db, index, objects);
    return { db, index };
  };

  describe('words', () => {
    it('match in any form and in any case', async () => {
      const { db, index } = await indexOf([words('a', 'The lions were Running'), words('b', 'a quiet house')]);
      expect(await idsFound(db, index, 'lion run')).toEqual(['a']);
    });

    it('match as text, whatever characters they contain', async () => {
      const odd = `it's a \\ "quote" & <b>bold</b> | !no :* (paren`;
      const { db, index } = await indexOf([words('a', odd), words('b', 'nothing of it')]);
      expect(await idsFound(db, index, odd)).toEqual(['a']);
      expect(await idsFound(db, index, `'; drop table x; -- \\' | !`)).toEqual([]);
      expect(await idsFound(db, index, 'path/with\\back\\slashes')).toEqual([]);
    });

    it('of scripts without spaces match one by one', async () => {
      const { db, index } = await indexOf([
        words('ja', '東京タワーは東京都港区にある電波塔である', { language: 'simple' }),
        words('th', 'ภาษาไทยเป็นภาษาราชการของประเทศไทย', { language: 'simple' }),
      ]);
      expect(await idsFound(db, index, '電波塔', { language: 'simple' })).toEqual(['ja']);
      expect(await idsFound(db, index, 'ประเทศไทย', { language: 'simple' })).toContain('th');
    });

    it('of a part are kept from its beginning as far as Postgres can keep them', async () => {
      const many = Array.from({ length: 200_000 }, (_, at) => `word${at}`).join(' ');
      const repeated = `${'the lion sleeps '.repeat(100_000)} zebra`;
      const { db, index } = await indexOf([
        words('a', [many, 'a giraffe']),
        words('b', repeated),
        words('c', 'a house'),
      ]);
      expect(await idsFound(db, index, 'word1')).toEqual(['a']);
      expect(await idsFound(db, index, 'word199999')).toEqual([]);
      expect(await idsFound(db, index, 'giraffe')).toEqual(['a']);
      expect(await idsFound(db, index, 'zebra')).toEqual(['b']);
      expect(await idsFound(db, index, 'house')).toEqual(['c']);
    });

    it('are those of the language of the object', async () => {
      const { db, index } = await indexOf([words('de', 'die alten Häuser', { language: 'german' })]);
      expect(await idsFound(db, index, 'altes Haus', { language: 'german' })).toEqual(['de']);
    });
  });

  describe('the order', () => {
    it('puts rare words before frequent ones', async () => {
      const common = Array.from({ length: 30 }, (_, at) => words(`common-${at}`, 'the report of the year'));
      const { db, index } = await indexOf([
        ...common,
        words('rare', 'a zebra in a report'),
        words('zebra', 'one zebra'),
      ]);
      expect((await idsFound(db, index, 'report zebra')).slice(0, 2)).toEqual(['rare', 'zebra']);
    });

    it('puts a short part before a long one', async () => {
      const long = `lion ${Array.from({ length: 200 }, (_, at) => `filler${at}`).join(' ')}`;
      const { db, index } = await indexOf([words('long', long), words('short', 'a lion sleeps')]);
      expect(await idsFound(db, index, 'lion')).toEqual(['short', 'long']);
    });

    it('names the best part of an object once', async () => {
      const { db, index } = await indexOf([words('a', ['about dogs', 'about a lion', 'a lion and a zebra'])]);
      const { matches } = await find(db, index, 'lion zebra');
      expect(matches).toMatchObject([{ id: 'a', part: 2 }]);
    });
  });

  describe('what is found', () => {
    it('passes the filter', async () => {
      const { db, index } = await indexOf([
        words('a', 'a lion', { metadata: { lang: 'en' } }),
        words('b', 'a lion', { metadata: { lang: 'de' } }),
      ]);
      expect(await idsFound(db, index, 'lion', { filter: { lang: 'de' } })).toEqual(['b']);
    });

    it('has neither deleted nor failed nor overwritten objects', async () => {
      const { db, index } = await indexOf([words('a', 'a lion'), words('b', 'a lion'), words('c', 'a lion')]);
      await writeIn(db, index, [tombstone('a', 2), failure('b', 2), words('c', 'a house', { version: 2 })]);
      expect(await idsFound(db, index, 'lion')).toEqual([]);
      expect(await idsFound(db, index, 'house')).toEqual(['c']);
    });

    it('is nothing for stop words alone', async () => {
      const { db, index } = await indexOf([words('a', 'the lion')]);
      expect(await find(db, index, 'the')).toEqual({ matches: [], exact: true });
    });

    it('is at most the limit, and exact with few parts', async () => {
      const { db, index } = await indexOf(Array.from({ length: 20 }, (_, at) => words(`o-${at}`, 'a lion')));
      const { matches, exact } = await find(db, index, 'lion', { limit: 5 });
      expect({ count: matches.length, exact }).toEqual({ count: 5, exact: true });
    });

    it('is not called exact if the text has more words than are searched for', async () => {
      const many = Array.from({ length: 80 }, (_, at) => `word${at}`).join(' ');
      const { db, index } = await indexOf([words('a', many)]);
      expect(await find(db, index, many)).toMatchObject({ matches: [{ id: 'a' }], exact: false });
      const unknown = Array.from({ length: 64 }, (_, at) => `unknown${at}`).join(' ');
      expect(await find(db, index, `${unknown} word1`)).toEqual({ matches: [], exact: false });
      expect(await find(db, index, `word2 ${unknown}`)).toMatchObject({ matches: [{ id: 'a' }], exact: false });
      expect(await find(db, index, `word2 ${unknown.slice('unknown0 '.length)}`)).toMatchObject({ exact: true });
    });
  });
});
