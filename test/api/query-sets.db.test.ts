import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/contract/limits.ts';
import { uniqueName } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, putObjects, removeObject, testApi } from './support.ts';

const JUDGED = [
  { id: 'q2', text: 'big cat', relevant: [{ id: 'a', grade: 2 }, { id: 'b' }], metadata: { lang: 'en' } },
  { id: 'q1', text: 'no idea', relevant: [{ id: 'a', grade: 0 }] },
  { id: 'q3', text: 'unjudged' },
];

onBothDatabases((database) => {
  const app = () => testApi(database().db);
  const put = (name: string, body: unknown) => call(app(), 'PUT', `/v1/query-sets/${name}`, body);

  describe('PUT /v1/query-sets/{querySet}', () => {
    it('creates a set, and replaces all of its queries the second time', async () => {
      const name = uniqueName('set');
      const created = await put(name, { queries: JUDGED });
      expect(created).toMatchObject({
        status: 201,
        body: { name, queries: 3, judged: 1, judgments: 3, knownItem: null, missing: null },
      });
      const replaced = await put(name, { queries: JUDGED.slice(1) });
      expect(replaced).toMatchObject({ status: 200, body: { queries: 2, judged: 0, judgments: 1 } });
      expect(replaced.body.createTime).toBe(created.body.createTime);
      const { body } = await call(app(), 'GET', `/v1/query-sets/${name}/queries`);
      expect(body.queries.map(({ id }: { id: string }) => id)).toEqual(['q1', 'q3']);
    });

    it.each([
      ['no queries', { queries: [] }, 'queries'],
      ['neither queries nor a known item', {}, 'queries'],
      ['both', { queries: JUDGED, knownItem: { index: 'docs' } }, 'queries'],
      ['a known item that is checked', { knownItem: { index: 'docs' }, checkIndex: 'docs' }, 'checkIndex'],
      ['an empty text', { queries: [{ id: 'a', text: '' }] }, 'queries.0.text'],
      ['a long text', { queries: [{ id: 'a', text: 'x'.repeat(LIMITS.queryChars + 1) }] }, 'queries.0.text'],
      ['the same id twice', { queries: [JUDGED[0], JUDGED[0]] }, 'queries.1.id'],
      [
        'an object judged twice',
        { queries: [{ id: 'a', text: 'b', relevant: [{ id: 'c' }, { id: 'c' }] }] },
        'queries.0.relevant.1.id',
      ],
      [
        'a negative grade',
        { queries: [{ id: 'a', text: 'b', relevant: [{ id: 'c', grade: -1 }] }] },
        'queries.0.relevant.0.grade',
      ],
      ['an unknown field', { queries: [{ id: 'a', text: 'b', answer: 'c' }] }, 'queries.0.answer'],
      ['a share above 1', { queries: JUDGED, maxMissing: 2 }, 'maxMissing'],
      [
        'too many queries',
        { queries: Array.from({ length: LIMITS.queriesPerSet + 1 }, (_, at) => ({ id: `${at}`, text: 'a' })) },
        'queries',
      ],
    ])('refuses %s by field, and stores nothing', async (_what, body, field) => {
      const name = uniqueName('set');
      const refused = await put(name, body);
      expect(refused.status).toBe(400);
      expect(refused.body.issues.map(({ path }: { path: string }) => path)).toContain(field);
      expect((await call(app(), 'GET', `/v1/query-sets/${name}`)).status).toBe(404);
    });

    it('takes the maximum number of queries', async () => {
      const queries = Array.from({ length: LIMITS.queriesPerSet }, (_, at) => ({ id: `${at}`, text: `query ${at}` }));
      expect(await put(uniqueName('set'), { queries })).toMatchObject({ status: 201, body: { queries: 10_000 } });
    });

    it('counts and lists judgments for objects that the index does not have, and refuses too many', async () => {
      const index = await makeIndex(database().db, uniqueName());
      await putObjects(database().db, index, [
        { id: 'a', payload: 'a lion' },
        { id: 'gone', payload: 'a ship' },
      ]);
      await removeObject(database().db, index.name, 'gone');
      const relevant = [{ id: 'a' }, { id: 'nowhere' }, { id: 'gone' }];
      const body = { queries: [{ id: 'q', text: 'cat', relevant }], checkIndex: index.name };
      const name = uniqueName('set');
      const refused = await put(name, body);
      expect(refused).toMatchObject({
        status: 400,
        body: { issues: [{ path: 'checkIndex', message: expect.stringMatching(/^2 judgments \(66.7 %\).*"gone"/) }] },
      });
      expect((await call(app(), 'GET', `/v1/query-sets/${name}`)).status).toBe(404);
      const accepted = await put(name, { ...body, maxMissing: 0.7 });
      expect(accepted.status).toBe(201);
      expect(accepted.body.missing).toEqual({
        judgments: 2,
        share: 2 / 3,
        examples: [
          { query: 'q', id: 'gone' },
          { query: 'q', id: 'nowhere' },
        ],
      });
    });
  });

  describe('a known-item set', () => {
    const items = Array.from({ length: 30 }, (_, at) => ({
      id: `d${at}`,
      payload: `The first sentence of text ${at} is this. The second sentence of text ${at} follows it!`,
      metadata: { lang: at % 2 === 0 ? 'en' : 'de', secret: 'x' },
    }));
    const knownItem = async (extra: object = {}) => {
      const index = await makeIndex(database().db, uniqueName());
      await putObjects(database().db, index, items);
      return { index: index.name, ...extra };
    };
    const queriesOf = async (name: string) =>
      (await call(app(), 'GET', `/v1/query-sets/${name}/queries`)).body.queries as { id: string; text: string }[];

    it('asks for a sentence of an object, whose answer is the object', async () => {
      const name = uniqueName('set');
      const saved = await put(name, { knownItem: await knownItem({ queries: 10, metadataFields: ['lang'] }) });
      expect(saved).toMatchObject({ status: 201, body: { queries: 10, judged: 10, knownItem: { seed: 1 } } });
      for (const query of await queriesOf(name)) {
        const { payload, metadata } = items.find(({ id }) => id === query.id) ?? {};
        expect(payload).toContain(query.text);
        expect(query).toMatchObject({ relevant: [{ id: query.id, grade: 1 }] });
        expect(query).toHaveProperty('metadata', { lang: metadata?.lang });
      }
    });

    it('is the same for the same seed, and another for another seed', async () => {
      const given = await knownItem({ queries: 15 });
      const made = [];
      for (const seed of [7, 7, 8]) {
        const name = uniqueName('set');
        await put(name, { knownItem: { ...given, seed } });
        made.push(await queriesOf(name));
      }
      expect(made[1]).toEqual(made[0]);
      expect(made[2]).not.toEqual(made[0]);
    });

    it('leaves out a sentence that several objects have, and objects that do not pass the filter', async () => {
      const index = await makeIndex(database().db, uniqueName());
      const same = ['a', 'b', 'c'].map((id) => ({ id, payload: 'The same sentence stands in each of them.' }));
      await putObjects(database().db, index, same);
      const name = uniqueName('set');
      expect(await put(name, { knownItem: { index: index.name } })).toMatchObject({ body: { queries: 1 } });
      const filtered = await knownItem({ filter: { lang: 'de' } });
      expect(await put(name, { knownItem: filtered })).toMatchObject({ body: { queries: 15 } });
    });

    it('is refused for an index without a text, by field', async () => {
      const index = await makeIndex(database().db, uniqueName());
      expect(await put(uniqueName('set'), { knownItem: { index: index.name } })).toMatchObject({
        status: 400,
        body: { issues: [{ path: 'knownItem.index' }] },
      });
    });
  });

  describe('GET and DELETE', () => {
    it('list sets by name and queries page by page, and delete a set with its queries', async () => {
      const name = uniqueName('set');
      await put(name, { queries: JUDGED });
      const list = await call(app(), 'GET', '/v1/query-sets');
      expect(list.body.querySets.map((set: { name: string }) => set.name)).toContain(name);
      const first = await call(app(), 'GET', `/v1/query-sets/${name}/queries?limit=2`);
      expect(first.body.queries).toEqual([
        { id: 'q1', text: 'no idea', relevant: [{ id: 'a', grade: 0 }], metadata: {} },
        {
          id: 'q2',
          text: 'big cat',
          relevant: [
            { id: 'a', grade: 2 },
            { id: 'b', grade: 1 },
          ],
          metadata: { lang: 'en' },
        },
      ]);
      const rest = await call(app(), 'GET', `/v1/query-sets/${name}/queries?limit=2&cursor=${first.body.cursor}`);
      expect(rest.body).toMatchObject({ queries: [{ id: 'q3' }], cursor: null });
      expect((await call(app(), 'DELETE', `/v1/query-sets/${name}`)).status).toBe(204);
      expect((await call(app(), 'DELETE', `/v1/query-sets/${name}`)).status).toBe(404);
      expect((await call(app(), 'GET', `/v1/query-sets/${name}/queries`)).status).toBe(404);
    });
  });
});
