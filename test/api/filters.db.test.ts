import { expect, it } from 'vitest';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, putObjects, testApi } from './support.ts';

const HASH = { model: { provider: 'hash', dimensions: 64 } };
const BOOKS = [
  {
    id: 'a',
    payload: 'cats',
    metadata: { lang: 'en', year: 2021, author: { name: 'Ada' }, at: '2026-01-31T23:30:00-01:00' },
  },
  { id: 'b', payload: 'dogs', metadata: { lang: 'de', year: 2019, author: { name: 'Bob' }, at: '2026-01-31' } },
  { id: 'c', payload: 'cars', metadata: { lang: 'fr', year: 'unknown', big: 9_007_199_254_740_991 } },
  { id: 'd', payload: 'ships', metadata: JSON.parse('{"__proto__": {"n": 1}, "a.b": 2, "or": 3}') },
];

onBothDatabases((database) => {
  let made = 0;
  const makeBooks = async () => {
    const index = await makeIndex(database().db, `books-${++made}`, HASH);
    await putObjects(database().db, index, BOOKS);
    return index.name;
  };
  const search = (name: string, body: unknown) =>
    call(testApi(database().db), 'POST', `/v1/indexes/${name}/search`, body);

  it.each<[string, unknown, string]>([
    ['by a range and a list', { year: { gte: 2019 }, lang: { in: ['de', 'fr'] } }, 'b'],
    ['by a range that texts do not pass', { year: { gte: 0 } }, 'ab'],
    ['by alternatives', { or: [{ lang: 'fr' }, { 'author.name': { startsWith: 'A' } }] }, 'ac'],
    ['by a negation', { not: { lang: { in: ['en', 'de', 'fr'] } } }, 'd'],
    ['by an instant', { at: { gte: { date: '2026-02-01' } } }, 'a'],
    ['by the largest exact number', { big: { gte: 9_007_199_254_740_991 } }, 'c'],
    ['by a field named __proto__', JSON.parse('{"__proto__": {"n": {"gte": 1}}}'), 'd'],
    ['by fields with dots and names of operators', { 'a\\.b': { lt: 3 }, '\\or': 3 }, 'd'],
    ['by nothing', {}, 'abcd'],
  ])('finds objects %s', async (_which, filter, expected) => {
    const { status, body } = await search(await makeBooks(), { text: 'cats', filter });
    expect([
      status,
      body.hits
        ?.map(({ id }: { id: string }) => id)
        .sort()
        .join(''),
    ]).toEqual([200, expected]);
  });

  it.each([
    [{ year: { gt_: 5 } }, 'filter.year.gt_', 'did you mean gt?'],
    [{ year: { gt: 5, lt: 'x' } }, 'filter.year', 'a range has one type'],
    [{ year: { in: [] } }, 'filter.year.in', 'must have a value'],
    [{ or: [{ year: { gt: null } }] }, 'filter.or.0.year.gt', 'not null'],
    [[], 'filter', 'must be an object'],
  ])('refuses the filter %j by the name of the place', async (filter, path, message) => {
    const { status, body } = await search('nowhere', { text: 'cats', filter });
    expect([status, body.type]).toEqual([400, 'urn:reembed:error:InvalidInput']);
    expect(body.issues).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  it.each([
    [{ ef: 0 }, 'ef'],
    [{ ef: 1_001 }, 'ef'],
    [{ ef: 1.5 }, 'ef'],
    [{ exact: 'yes' }, 'exact'],
    [{ mode: 'text', exact: true }, 'exact'],
    [{ mode: 'text', ef: 100 }, 'ef'],
  ])('refuses the option %j by its name', async (options, path) => {
    const { status, body } = await search('nowhere', { text: 'cats', ...options });
    expect([status, body.issues?.[0].path]).toEqual([400, path]);
  });
});
