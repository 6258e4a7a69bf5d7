import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Item } from '../../src/contract/objects.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { markDeleting } from '../../src/store/indexes.ts';
import { tablesOf } from '../../src/store/partitions.ts';
import { openTransaction } from '../store/concurrency.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, models, putObjects, testApi } from './support.ts';

const HASH = { model: { provider: 'hash', dimensions: 64 } };
const PETS: Pick<Item, 'id' | 'payload' | 'metadata'>[] = [
  { id: 'cat', payload: 'a cat sleeps on the sofa', metadata: { kind: 'pet', legs: 4 } },
  { id: 'dog', payload: 'a dog runs in the park', metadata: { kind: 'pet', legs: 4 } },
  { id: 'car', payload: 'a red sports car', metadata: { kind: "machine'; drop schema reembed cascade; --" } },
];

onBothDatabases((database) => {
  const app = () => testApi(database().db);
  let made = 0;
  const makePets = async (config: unknown = HASH) => {
    const index = await makeIndex(database().db, `pets-${++made}`, config);
    await putObjects(database().db, index, PETS);
    return index;
  };
  const search = (name: string, body: unknown) => call(app(), 'POST', `/v1/indexes/${name}/search`, body);

  it('finds the same by text, with the model of the index, and by vector', async () => {
    const index = await makePets();
    const byText = await search(index.name, { text: 'a cat sleeps on the sofa', limit: 2 });
    expect(byText).toMatchObject({ status: 200, body: { index: index.name, hits: [{ id: 'cat', part: 0 }, {}] } });
    expect(byText.body.hits[0].score).toBeCloseTo(1, 5);
    const [vector] = await models.embedder(index.model).embed(['a cat sleeps on the sofa'], { purpose: 'query' });
    expect((await search(index.name, { vector, limit: 2 })).body).toEqual(byText.body);
  });

  it('applies the filter, whose text is data and never SQL', async () => {
    const index = await makePets();
    const ids = async (filter: unknown) =>
      (await search(index.name, { text: 'a cat', filter })).body.hits.map((hit: { id: string }) => hit.id).sort();
    expect(await ids({ legs: 4 })).toEqual(['cat', 'dog']);
    expect(await ids({ kind: "machine'; drop schema reembed cascade; --" })).toEqual(['car']);
    expect(await ids({ "kind' or 1=1 --": 'x' })).toEqual([]);
    expect(await ids({})).toEqual(['car', 'cat', 'dog']);
  });

  it('refuses vectors that cannot be compared, naming the vector', async () => {
    const index = await makePets();
    const flat = await makePets({ ...HASH, metric: 'l2' });
    const wide = await makePets({ model: { provider: 'hash', dimensions: 2_500 }, metric: 'l2' });
    const of = (length: number, value: number) => new Array(length).fill(value);
    for (const [name, vector] of [
      [index.name, [1, 2, 3]],
      [index.name, of(64, 0)],
      [index.name, of(64, 1e-30)],
      [index.name, of(64, 1e300)],
      [flat.name, of(64, 1e30)],
      [wide.name, of(2_500, 1e6)],
    ] as const) {
      const { status, body } = await search(name, { vector });
      expect([status, body.issues?.[0].path]).toEqual([400, 'vector']);
    }
    expect((await search(flat.name, { vector: of(64, 0) })).status).toBe(200);
  });

  it('answers with every limit, and for an empty index', async () => {
    const index = await makePets();
    expect((await search(index.name, { text: 'x', limit: 1_000 })).body.hits).toHaveLength(3);
    expect((await search(index.name, { text: 'x', limit: 1 })).body.hits).toHaveLength(1);
    await makeIndex(database().db, 'empty', HASH);
    expect((await search('empty', { text: 'x' })).body).toEqual({
      index: 'empty',
      hits: [],
      exact: true,
      complete: true,
    });
  });

  it('answers from one index when the alias is switched while the text is embedded', async () => {
    const index = await makePets();
    const other = await makePets({ model: { provider: 'hash', dimensions: 32 } });
    const { db } = database();
    await setAlias(db, 'switched', index.name);
    let calls = 0;
    const app = testApi(db, {
      models: {
        embedder: (config) => ({
          ...models.embedder(config),
          async embed(texts, options) {
            if (calls++ === 0) await setAlias(db, 'switched', other.name);
            return models.embedder(config).embed(texts, options);
          },
        }),
      },
    });
    const { status, body } = await call(app, 'POST', '/v1/indexes/switched/search', { text: 'a cat' });
    expect([status, body.index, calls]).toEqual([200, index.name, 1]);
  });

  it('uses the new index when the old one is dropped while the text is embedded', async () => {
    const index = await makePets();
    const other = await makePets({ model: { provider: 'hash', dimensions: 32 } });
    const { db } = database();
    await setAlias(db, 'retired', index.name);
    let calls = 0;
    const app = testApi(db, {
      models: {
        embedder: (config) => ({
          ...models.embedder(config),
          async embed(texts, options) {
            if (calls++ === 0) {
              await setAlias(db, 'retired', other.name);
              await transaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
              await dropIndex(db, index.no);
            }
            return models.embedder(config).embed(texts, options);
          },
        }),
      },
    });
    const { status, body } = await call(app, 'POST', '/v1/indexes/retired/search', { text: 'a cat' });
    expect([status, body.index, calls]).toEqual([200, other.name, 2]);
  });

  it('refuses an index that is being deleted', async () => {
    const index = await makePets();
    await transaction(database().db, (trx) => markDeleting(trx, index.name, { force: false }));
    const { status, body } = await search(index.name, { text: 'x' });
    expect([status, body.type]).toEqual([409, 'urn:reembed:error:IndexDeleting']);
  });

  it('reports a provider that does not answer as such', async () => {
    const model = { provider: 'openai', name: 'm', dimensions: 3, baseUrl: 'http://127.0.0.1:1/v1' };
    await makeIndex(database().db, 'remote', { model });
    const { status, body } = await search('remote', { text: 'x' });
    expect([status, body.type]).toEqual([503, 'urn:reembed:error:ModelUnavailable']);
  });

  it('ends within its time limit when the model or the database hangs, and says which', async () => {
    const index = await makePets();
    const { db } = database();
    const timeout = { status: 504, body: { type: 'urn:reembed:error:SearchTimeout' } };
    let canceled = false;
    const hanging: typeof models = {
      embedder: (config) => ({
        ...models.embedder(config),
        embed: (_texts, { signal }) =>
          new Promise(() => {
            signal?.addEventListener('abort', () => {
              canceled = true;
            });
          }),
      }),
    };
    const ask = (app: ReturnType<typeof testApi>, body: unknown) =>
      call(app, 'POST', `/v1/indexes/${index.name}/search`, body);
    expect(await ask(testApi(db, { models: hanging }), { text: 'a cat', timeoutSeconds: 0.2 })).toMatchObject({
      ...timeout,
      body: { ...timeout.body, reason: 'model' },
    });
    expect(canceled).toBe(true);
    const limited = testApi(db, { models: hanging, settings: { searchSeconds: 0.2 } });
    expect(await ask(limited, { text: 'a cat' })).toMatchObject({ ...timeout, body: { reason: 'model' } });

    const locked = await openTransaction(db, (trx) =>
      sql`lock table ${tablesOf(index.no).objects} in access exclusive mode`.execute(trx),
    );
    const vector = [1, ...new Array(63).fill(0)];
    const answer = await ask(testApi(db), { vector, timeoutSeconds: 0.3 });
    await locked.commit();
    expect(answer).toMatchObject({ ...timeout, body: { reason: 'database' } });
    expect((await ask(testApi(db), { vector, timeoutSeconds: 5 })).status).toBe(200);
  });

  it.each(['0', 0, 301, null])('refuses %j as its time limit', async (timeoutSeconds) => {
    const index = await makePets();
    const { status, body } = await search(index.name, { text: 'x', timeoutSeconds });
    expect([status, body.issues?.[0].path]).toEqual([400, 'timeoutSeconds']);
  });

  it('returns no hits and the reason for a text without a word that the model words knows', async () => {
    const index = await makeIndex(database().db, 'words', { model: { provider: 'words' } });
    await putObjects(database().db, index, PETS);
    for (const text of ['\u{1F981}\u{1F42F}', '!?', '猫がソファで寝ている', 'qqxzv']) {
      expect((await search('words', { text })).body).toEqual({
        index: 'words',
        hits: [],
        exact: true,
        complete: true,
        reason: 'no-known-words',
      });
    }
    const { body } = await search('words', { text: 'a \u{1F981} lion', limit: 1 });
    expect(body.hits).toHaveLength(1);
    expect(body).not.toHaveProperty('reason');
  });
});
