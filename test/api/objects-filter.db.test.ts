import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { StoredObject } from '../../src/contract/objects.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, putObjects, removeObject, testApi } from './support.ts';

const HASH = { model: { provider: 'hash', dimensions: 8 } };
const idOf = (at: number) => `o-${String(at).padStart(6, '0')}`;

onBothDatabases((database, name) => {
  let made = 0;
  /** Every third object is in German, every tenth has a rank below 10. */
  const makeObjects = async (count: number) => {
    const index = await makeIndex(database().db, `filtered-${++made}`, HASH);
    const objects = Array.from({ length: count }, (_, at) => ({
      id: idOf(at),
      payload: `text ${at}`,
      metadata: { lang: at % 3 === 0 ? 'de' : 'en', rank: at % 100 },
    }));
    for (let at = 0; at < count; at += 500) await putObjects(database().db, index, objects.slice(at, at + 500));
    return { index, objects };
  };
  const page = async (index: string, query: Record<string, string>) => {
    const path = `/v1/indexes/${index}/objects?${new URLSearchParams(query)}`;
    return call(testApi(database().db), 'GET', path);
  };
  const all = async (index: string, query: Record<string, string>) => {
    const ids: string[] = [];
    let pages = 0;
    for (let cursor: string | null | undefined; cursor !== null; pages++) {
      const { status, body } = await page(index, { ...query, ...(cursor && { cursor }) });
      expect(status).toBe(200);
      ids.push(...(body.objects as StoredObject[]).map(({ id }) => id));
      cursor = body.cursor as string | null;
    }
    return { ids, pages };
  };

  it('lists the objects that pass a filter, page by page, without deleted ones', async () => {
    const { index, objects } = await makeObjects(300);
    await removeObject(database().db, index.name, idOf(3));
    const wanted = objects.filter(({ id, metadata }) => metadata.lang === 'de' && id !== idOf(3)).map(({ id }) => id);
    const { ids, pages } = await all(index.name, { filter: '{"lang":"de"}', limit: '40' });
    expect(ids).toEqual(wanted);
    expect(pages).toBe(3);
    expect((await all(index.name, { filter: '{}', limit: '200' })).ids).toHaveLength(299);
    expect((await all(index.name, { filter: '{"lang":"fr"}' })).ids).toEqual([]);
  });

  it('lists what passes a range, which no index finds', async () => {
    const { index, objects } = await makeObjects(250);
    const wanted = objects.filter(({ metadata }) => metadata.rank < 10).map(({ id }) => id);
    expect((await all(index.name, { filter: '{"rank":{"lt":10}}', limit: '7' })).ids).toEqual(wanted);
  });

  it('streams the objects that pass a filter', async () => {
    const { index, objects } = await makeObjects(400);
    const query = new URLSearchParams({ filter: '{"lang":"de"}' });
    const path = `/v1/indexes/${index.name}/objects?${query}`;
    const response = await testApi(database().db).request(path, { headers: { accept: 'application/x-ndjson' } });
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    const wanted = objects.filter(({ metadata }) => metadata.lang === 'de').map(({ id }) => id);
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(wanted);
  });

  it('ends a page before its limit when the answer would be too large, and loses nothing', async () => {
    const { index } = await makeObjects(30);
    await sql`
      update ${tablesOf(index.no).objects} set payload = to_jsonb(repeat('x', 6000000)) where metadata->>'lang' = 'de'`.execute(
      database().db,
    );
    const { ids, pages } = await all(index.name, { filter: '{"lang":"de"}' });
    expect(ids).toHaveLength(10);
    expect(pages).toBeGreaterThan(1);
  });

  it.each([
    ['{"lang":', 'query.filter'],
    ['{"rank":{"gt":{}}}', 'query.filter.rank.gt'],
    ['[]', 'query.filter'],
    ['{"n":9007199254740993}', 'query.filter.n'],
  ])('refuses the filter %s by the name of its field', async (filter, path) => {
    const { index } = await makeObjects(1);
    const { status, body } = await page(index.name, { filter });
    expect(status).toBe(400);
    expect(body.issues).toMatchObject([{ path }]);
  });

  // Thousands of rows are slow to write on PGlite.
  it.runIf(name === 'postgres')('looks at many objects for a rare range in pages, and misses none', async () => {
    const { index } = await makeObjects(2);
    const { objects } = tablesOf(index.no);
    await sql`
      insert into ${objects} (index_no, object_id, version, change, payload, metadata, hash)
      select ${index.no}::int, 'p-' || lpad(n::text, 6, '0'), 1, nextval('reembed.changes'), '"x"',
        jsonb_build_object('rank', n, 'kind', case when n % 2 = 0 then 'even' else 'odd' end), 'hash'
      from generate_series(1, 12000) n`.execute(database().db);
    const rare = await all(index.name, { filter: '{"rank":{"gt":11990}}' });
    expect(rare.ids).toHaveLength(10);
    expect(rare.pages).toBe(3);
    // More than are sorted at once.
    const half = await all(index.name, { filter: '{"kind":"even"}', limit: '1000' });
    expect(new Set(half.ids).size).toBe(6_000);
    expect([...half.ids].sort()).toEqual(half.ids);
  });
});
