import { describe, expect, it } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import type { Item } from '../../src/contract/objects.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, models, putObjects, testApi } from './support.ts';

const MODEL = { provider: 'hash', dimensions: 64 };
const ENGLISH = { model: MODEL, fullText: { language: 'english', languageField: 'lang' } };
const DOCS: Pick<Item, 'id' | 'payload' | 'metadata'>[] = [
  { id: 'cat', payload: 'a cat sleeps on the sofa', metadata: { kind: 'pet' } },
  { id: 'dog', payload: 'a dog runs in the park', metadata: { kind: 'pet' } },
  { id: 'error', payload: 'what to do about the error E1042', metadata: { kind: 'help' } },
  { id: 'haus', payload: 'die Häuser der alten Stadt', metadata: { kind: 'help', lang: 'de' } },
];

onBothDatabases((database) => {
  let made = 0;
  const makeDocs = async (config: unknown = ENGLISH) => {
    const index = await makeIndex(database().db, `docs-${++made}`, config);
    await putObjects(database().db, index, DOCS);
    return index;
  };
  const search = (name: string, body: unknown, app = testApi(database().db)) =>
    call(app, 'POST', `/v1/indexes/${name}/search`, body);
  /** An API whose model fails with this error, or never answers. */
  const apiWithout = (error?: ReembedError) =>
    testApi(database().db, {
      models: {
        embedder: (config) => ({
          ...models.embedder(config),
          embed: (_texts, { signal }) =>
            new Promise((_resolve, reject) => {
              if (error) reject(error);
              signal?.addEventListener('abort', () => reject(signal.reason));
            }),
        }),
      },
    });
  const down = new ReembedError('ModelUnavailable', 'the model does not answer', { reason: 'timeout' });

  describe('a search by words', () => {
    it('finds words in any form, without calling the model', async () => {
      const { name } = await makeDocs();
      const { status, body } = await search(name, { mode: 'text', text: 'Sleeping CATS' }, apiWithout(down));
      expect(status).toBe(200);
      expect(body).toMatchObject({ index: name, exact: true, complete: true, hits: [{ id: 'cat', part: 0 }] });
      expect(body.hits[0].score).toBeGreaterThan(0);
    });

    it('uses the language that the metadata names, and the one of the search', async () => {
      const { name } = await makeDocs();
      expect((await search(name, { mode: 'text', text: 'Häusern', language: 'german' })).body.hits).toMatchObject([
        { id: 'haus' },
      ]);
      expect((await search(name, { mode: 'text', text: 'Häusern' })).body.hits).toEqual([]);
    });

    it('applies the filter', async () => {
      const { name } = await makeDocs();
      const found = await search(name, { mode: 'text', text: 'cat error', filter: { kind: 'help' } });
      expect(found.body.hits).toMatchObject([{ id: 'error' }]);
    });
  });

  describe('a hybrid search', () => {
    it('merges both rankings, and says the place in each', async () => {
      const { name } = await makeDocs();
      const { body } = await search(name, { mode: 'hybrid', text: 'E1042', limit: 2 });
      expect(body.hits[0]).toMatchObject({ id: 'error', ranks: { vector: 1, text: 1 } });
      expect(body.hits[0].score).toBeCloseTo(2 / 61, 8);
      expect(body.hits[1].ranks).toEqual({ vector: 2, text: null });
    });

    it('follows the weights', async () => {
      const { name } = await makeDocs();
      const weighted = (vector: number, text: number) =>
        search(name, {
          mode: 'hybrid',
          text: 'sofa of a dog that runs in the park',
          weights: { vector, text },
          limit: 1,
        });
      expect((await weighted(1, 0)).body.hits[0].ranks).toEqual({ vector: 1, text: null });
      expect((await weighted(0, 1)).body.hits[0].ranks).toMatchObject({ text: 1 });
    });

    it.each([
      ['is down', down],
      ['refuses the key', new ReembedError('ModelUnauthorized', 'the key is not valid')],
      ['never answers', undefined],
    ])('is answered by words alone while the model %s, and says so', async (_how, error) => {
      const { name } = await makeDocs();
      const request = { mode: 'hybrid', text: 'cat', timeoutSeconds: 3 };
      const { status, body } = await search(name, { ...request, allowDegraded: true }, apiWithout(error));
      expect([status, body.degraded, body.hits.map(({ id }: { id: string }) => id)]).toEqual([200, true, ['cat']]);
      expect((await search(name, request, apiWithout(error))).status).not.toBe(200);
    });

    it('is not degraded by a text that the model rejects', async () => {
      const { name } = await makeDocs();
      const rejects = apiWithout(new ReembedError('ModelRejectedInput', 'too long'));
      const { status } = await search(name, { mode: 'hybrid', text: 'cat', allowDegraded: true }, rejects);
      expect(status).toBe(422);
    });
  });

  it.each([
    [{ mode: 'text', vector: [1] }, 'text'],
    [{ mode: 'words', text: 'cat' }, 'mode'],
    [{ text: 'cat', language: 'german' }, 'language'],
    [{ mode: 'text', text: 'cat', language: 'klingon' }, 'language'],
    [{ mode: 'text', text: 'cat', weights: { vector: 1 } }, 'weights'],
    [{ mode: 'hybrid', text: 'cat', weights: { vector: 0, text: 0 } }, 'weights.vector'],
    [{ mode: 'hybrid', text: 'cat', weights: { vector: -1 } }, 'weights.vector'],
    [{ mode: 'text', text: 'cat', allowDegraded: true }, 'allowDegraded'],
  ])('%j is refused by its field', async (body, path) => {
    const { name } = await makeDocs();
    const refused = await search(name, body);
    expect([refused.status, refused.body.issues?.[0]?.path]).toEqual([400, path]);
  });

  it('an index without full text refuses such searches, and says how to get it', async () => {
    const { name } = await makeDocs({ model: MODEL });
    const { status, body } = await search(name, { mode: 'text', text: 'cat' });
    expect([status, body.issues?.[0]]).toMatchObject([
      400,
      { path: 'mode', message: expect.stringContaining('destFullText') },
    ]);
  });

  it('the settings of full text belong to the index, and are checked', async () => {
    const { db } = database();
    const { name } = await makeDocs();
    const app = testApi(db);
    expect((await call(app, 'GET', `/v1/indexes/${name}`)).body.fullText).toEqual(ENGLISH.fullText);
    expect((await call(app, 'PUT', `/v1/indexes/${name}`, ENGLISH)).status).toBe(200);
    expect((await call(app, 'PUT', `/v1/indexes/${name}`, { model: MODEL })).status).toBe(409);
    const refused = await call(app, 'PUT', '/v1/indexes/other', { model: MODEL, fullText: { language: 'klingon' } });
    expect([refused.status, refused.body.issues?.[0]?.path]).toEqual([400, 'fullText.language']);
  });
});
