import { expect, it } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { uniqueName } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, models, putObjects, testApi } from './support.ts';

const PETS = [
  { id: 'cat', payload: 'a cat sleeps on the sofa' },
  { id: 'dog', payload: 'a dog runs in the park' },
];
const NEWS = [
  { id: 'cat', payload: 'a cat sleeps on the roof' },
  { id: 'vote', payload: 'the parliament votes on a law' },
];

onBothDatabases((database) => {
  async function given({ refuses = '' } = {}) {
    const { db } = database();
    const [pets, news] = [uniqueName('pets'), uniqueName('news')];
    await putObjects(db, await makeIndex(db, pets, { model: { provider: 'hash', dimensions: 64 } }), PETS);
    await putObjects(db, await makeIndex(db, news, { model: { provider: 'hash', dimensions: 32 } }), NEWS);
    const calls: string[][] = [];
    const watched: typeof models = {
      embedder: (config) => {
        const usual = models.embedder(config);
        const known = embedders.get(usual) ?? {
          ...usual,
          async embed(texts: readonly string[], options: Parameters<typeof usual.embed>[1]) {
            calls.push([...texts]);
            if (refuses === 'all') throw new ReembedError('ModelUnauthorized', 'the key is refused');
            if (texts.includes(refuses)) throw new ReembedError('ModelRejectedInput', 'the text is refused');
            if (texts.includes('hangs')) return new Promise<never>(() => {});
            return usual.embed(texts, options);
          },
        };
        embedders.set(usual, known);
        return known;
      },
    };
    const embedders = new Map<object, ReturnType<typeof models.embedder>>();
    const app = testApi(db, { models: watched });
    const batch = (searches: object[], headers = {}) =>
      call(app, 'POST', `/v1/indexes/${pets}/search/batch`, { searches }, headers);
    const many = (indexes: string[], body: object = { text: 'a cat sleeps' }) =>
      call(app, 'POST', '/v1/search', { indexes, ...body });
    const search = (index: string, body: object) => call(app, 'POST', `/v1/indexes/${index}/search`, body);
    return { db, pets, news, calls, batch, many, search };
  }

  it('a batch embeds all texts in one call, and each result is that of the search alone', async () => {
    const { pets, calls, batch, search } = await given();
    const searches = [
      { text: 'a cat', limit: 1 },
      { text: 'a dog', fields: ['text'] },
      { id: 'cat' },
      { text: 'a cat', minScore: 0.99 },
      { vector: [1, ...new Array(63).fill(0)] },
    ];
    const { status, body } = await batch(searches);
    expect([status, calls]).toEqual([200, [['a cat', 'a dog']]]);
    const alone = [];
    for (const one of searches) alone.push((await search(pets, one)).body);
    expect(body.results).toEqual(alone);
  });

  it('a search of a batch that fails has its problem, and the others their results', async () => {
    const { pets, batch } = await given({ refuses: 'a bad text' });
    const { body } = await batch([
      { text: 'a cat' },
      { text: 'a bad text' },
      { id: 'nothing' },
      { vector: [1] },
      { text: 'a dog' },
    ]);
    const problem = (type: string) => ({ problem: { type: `urn:reembed:error:${type}` } });
    expect(body.results).toMatchObject([
      { index: pets, hits: [{ id: 'cat' }, {}] },
      problem('ModelRejectedInput'),
      problem('ObjectNotFound'),
      problem('InvalidInput'),
      { index: pets, hits: [{ id: 'dog' }, {}] },
    ]);
  });

  it('a search of a batch that times out leaves the others their results', async () => {
    const { batch } = await given();
    const { body } = await batch([
      { text: 'hangs', timeoutSeconds: 0.3 },
      { id: 'cat', timeoutSeconds: 60 },
    ]);
    expect(body.results).toMatchObject([
      { problem: { type: 'urn:reembed:error:SearchTimeout', reason: 'model' } },
      { hits: [{ id: 'dog' }] },
    ]);
  });

  it('several indexes are searched with their own models, and the hits alternate by rank', async () => {
    const { db, pets, news, calls, many, search } = await given();
    const alias = uniqueName('alias');
    await setAlias(db, alias, pets);
    const { status, body } = await many([news, alias], { text: 'a cat sleeps', fields: [] });
    expect([status, body.complete, calls.length]).toEqual([200, true, 2]);
    expect(body.indexes).toMatchObject([
      { name: news, index: news },
      { name: alias, index: pets, complete: true },
    ]);
    expect(body.hits.map(({ index, rank }: Record<string, unknown>) => [index, rank])).toEqual([
      [news, 1],
      [pets, 1],
      [news, 2],
      [pets, 2],
    ]);
    const { hits } = (await search(pets, { text: 'a cat sleeps', fields: [] })).body;
    const ofPets = body.hits.filter(({ index }: { index: string }) => index === pets);
    expect(ofPets).toEqual(hits.map((hit: object, at: number) => ({ ...hit, index: pets, rank: at + 1 })));
    expect((await many([news, pets], { text: 'a cat sleeps', limit: 3 })).body.hits).toHaveLength(3);
  });

  it('two names of one index give each hit once', async () => {
    const { db, pets, many } = await given();
    const alias = uniqueName('alias');
    await setAlias(db, alias, pets);
    const { body } = await many([pets, alias]);
    expect(body.hits.map(({ rank }: { rank: number }) => rank)).toEqual([1, 2]);
    expect(body.indexes).toHaveLength(2);
  });

  it('an index that cannot be searched is named, and the answer is not complete', async () => {
    const { pets, many } = await given();
    const { status, body } = await many(['nowhere', pets]);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      complete: false,
      hits: [{ id: 'cat', index: pets }, {}],
      indexes: [
        { name: 'nowhere', problem: { type: 'urn:reembed:error:IndexNotFound' } },
        { name: pets, complete: true },
      ],
    });
    const refused = await given({ refuses: 'all' });
    const { body: none } = await refused.many([refused.pets, refused.news]);
    expect(none).toMatchObject({ complete: false, hits: [], indexes: [{ problem: {} }, { problem: {} }] });
  });

  it('a search of several indexes and those of a batch take operators in filters, exact and ef', async () => {
    const { pets, news, batch, many } = await given();
    const filter = { topic: { exists: false } };
    const { body } = await many([pets, news], { text: 'a cat sleeps', filter, exact: true, ef: 100 });
    expect(body).toMatchObject({ complete: true, indexes: [{ exact: true }, { exact: true }] });
    expect(body.hits).toHaveLength(4);
    expect((await many([pets], { text: 'a cat', filter: { topic: { exists: true } } })).body.hits).toEqual([]);
    const searches = [
      { text: 'a cat', filter, exact: true },
      { id: 'cat', filter, ef: 50 },
    ];
    const { results } = (await batch(searches)).body;
    expect(results.map(({ hits }: { hits: object[] }) => hits.length)).toEqual([2, 1]);
    expect((await many([pets], { text: 'a cat', ef: 1_001 })).status).toBe(400);
    expect((await many([pets], { text: 'a cat', filter: { topic: { gt: [] } } })).status).toBe(400);
  });
});
