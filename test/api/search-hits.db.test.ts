import { expect, it } from 'vitest';
import type { Item } from '../../src/contract/objects.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { failure, uniqueName, writeIn } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, models, putObjects, testApi } from './support.ts';

const HASH = { model: { provider: 'hash', dimensions: 64 } };
const PETS: Pick<Item, 'id' | 'payload' | 'metadata'>[] = [
  { id: 'cat', payload: 'a cat sleeps on the sofa', metadata: { kind: 'pet', legs: 4 } },
  { id: 'kitten', payload: 'a small cat sleeps on the sofa', metadata: { kind: 'pet', legs: 4 } },
  { id: 'dog', payload: 'a dog runs in the park', metadata: { kind: 'pet', legs: 4 } },
  { id: 'car', payload: 'a red sports car', metadata: { kind: 'machine' } },
];

onBothDatabases((database) => {
  async function given() {
    const { db } = database();
    const name = uniqueName('pets');
    await putObjects(db, await makeIndex(db, name, HASH), PETS);
    let calls = 0;
    const counting: typeof models = {
      embedder: (config) => ({
        ...models.embedder(config),
        embed(texts, options) {
          calls += 1;
          return models.embedder(config).embed(texts, options);
        },
      }),
    };
    const app = testApi(db, { models: counting });
    const search = (body: object) => call(app, 'POST', `/v1/indexes/${name}/search`, body);
    return { db, name, search, calls: () => calls };
  }
  const idsOf = ({ body }: { body: { hits: { id: string }[] } }) => body.hits.map(({ id }) => id);

  it('finds what is near to an object without the model, and leaves the object out', async () => {
    const { search, calls } = await given();
    const found = await search({ id: 'cat', limit: 3 });
    expect(idsOf(found)[0]).toBe('kitten');
    expect(idsOf(found).sort()).toEqual(['car', 'dog', 'kitten']);
    expect(idsOf(await search({ id: 'cat', filter: { kind: 'machine' } }))).toEqual(['car']);
    expect(calls()).toBe(0);
  });

  it('says that an example does not exist, or that it has failed', async () => {
    const { db, name, search } = await given();
    await writeIn(db, await resolveIndex(db, name), [failure('broken', 1_000_000)]);
    const missing = await search({ id: 'nothing' });
    expect(missing).toMatchObject({ status: 404, body: { type: 'urn:reembed:error:ObjectNotFound' } });
    const failed = await search({ id: 'broken' });
    expect(failed).toMatchObject({ status: 400, body: { issues: [{ path: 'id' }] } });
  });

  it('returns the fields that are asked for, and only these', async () => {
    const { search } = await given();
    const one = async (fields?: string[]) =>
      (await search({ text: 'a red sports car', limit: 1, fields })).body.hits[0];
    const always = {
      id: 'car',
      part: 0,
      start: 0,
      end: 16,
      version: expect.any(Number),
      score: expect.any(Number),
    };
    expect(await one([])).toEqual(always);
    expect(await one(['metadata.kind'])).toEqual({ ...always, metadata: { kind: 'machine' } });
    expect(await one(['text'])).toEqual({ ...always, text: 'a red sports car' });
    expect(await one()).toEqual({
      ...always,
      text: 'a red sports car',
      payload: 'a red sports car',
      metadata: { kind: 'machine' },
    });
  });

  it('names the field that a misspelled one may have meant', async () => {
    const { search } = await given();
    const messageFor = async (field: string) => (await search({ text: 'x', fields: [field] })).body.issues[0].message;
    expect(await messageFor('paylod.title')).toContain('did you mean payload.title?');
    expect(await messageFor('Text')).toContain('did you mean text?');
    expect(await messageFor('score')).not.toContain('did you mean');
  });

  it('cuts pages and low scores from the same ranking', async () => {
    const { search } = await given();
    const { hits } = (await search({ text: 'a cat', offset: 0 })).body;
    expect((await search({ text: 'a cat', offset: 1, limit: 2 })).body.hits).toEqual(hits.slice(1, 3));
    const enough = await search({ text: 'a cat', minScore: hits[1].score });
    expect(enough.body).toMatchObject({ complete: true, hits: hits.slice(0, 2) });
  });

  it.each(['text', 'hybrid'])(
    'a search in the mode %s has the same fields and pages, without low scores or parts',
    async (mode) => {
      const { db } = database();
      const name = uniqueName('words');
      await putObjects(db, await makeIndex(db, name, { ...HASH, fullText: { language: 'english' } }), PETS);
      const search = (body: object) =>
        call(testApi(db), 'POST', `/v1/indexes/${name}/search`, { mode, text: 'a cat', ...body });
      const { hits } = (await search({ offset: 0, fields: ['text'] })).body;
      expect(hits[0]).toMatchObject({ id: 'cat', start: 0, text: 'a cat sleeps on the sofa' });
      expect(hits[0]).not.toHaveProperty('payload');
      expect((await search({ offset: 1, limit: 1, fields: ['text'] })).body.hits).toEqual(hits.slice(1, 2));
      for (const [field, value] of [
        ['minScore', 0],
        ['group', 'part'],
      ] as const) {
        expect((await search({ [field]: value })).body.issues).toMatchObject([{ path: field }]);
      }
    },
  );
});
