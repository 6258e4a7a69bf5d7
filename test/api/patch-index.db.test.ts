import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelSchema } from '../../src/contract/models.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { expireLock, lockIn, uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { call, makeIndex, putObjects, testApi } from './support.ts';

let database: TestDatabase;
/** The address that the index has, and another one. */
let before: EmbeddingServer;
let after: EmbeddingServer;
beforeAll(async () => {
  database = await openPostgresDatabase();
  before = await startEmbeddingServer({ dimensions: 8 });
  after = await startEmbeddingServer({ dimensions: 8 });
});
afterAll(async () => {
  await before?.close();
  await after?.close();
  await database?.close();
});

const patch = (name: string, body: unknown) => call(testApi(database.db), 'PATCH', `/v1/indexes/${name}`, body);

async function remoteIndex(model: object = {}) {
  const config = { model: { provider: 'openai', name: 'm', dimensions: 8, baseUrl: before.url, ...model } };
  return makeIndex(database.db, uniqueName(), config);
}

describe('PATCH /v1/indexes/{index}', () => {
  it('changes the fields that are given, keeps the others, and removes those that are null', async () => {
    const { name } = await remoteIndex({ queryPrefix: 'query: ', documentPrefix: 'text: ' });
    const changed = await patch(name, { model: { timeoutMs: 5_000, batchSize: 7 }, readyVectors: true });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        taskId: null,
        readyVectors: true,
        model: { timeoutMs: 5_000, batchSize: 7, queryPrefix: 'query: ', documentPrefix: 'text: ' },
      },
    });
    expect((await patch(name, { model: { queryPrefix: null } })).body.model).not.toHaveProperty('queryPrefix');
    const { body } = await call(testApi(database.db), 'GET', `/v1/indexes/${name}`);
    expect(body).toMatchObject({ readyVectors: true, model: { timeoutMs: 5_000, batchSize: 7 } });
    expect(body.model).not.toHaveProperty('queryPrefix');
  });

  it.each([
    [{ metric: 'l2' }, 'metric', 'destMetric'],
    [{ splitter: { chunkSize: 100 } }, 'splitter', 'destSplitter'],
    [{ storage: 'halfvec' }, 'storage', 'destStorage'],
    [{ average: true }, 'average', 'destAverage'],
    [{ fullText: { language: 'english' } }, 'fullText', 'destFullText'],
    [{ versioning: 'external' }, 'versioning', 'create another index'],
    [{ model: { name: 'other' } }, 'model.name', 'destModel'],
    [{ model: { dimensions: 4 } }, 'model.dimensions', 'destModel'],
    [{ model: { documentPrefix: 'x' } }, 'model.documentPrefix', 'destModel'],
  ])('refuses %j by its name, and changes nothing', async (change, path, instead) => {
    const { name } = await remoteIndex();
    const before = await findIndex(database.db, name);
    const { model = {} } = change as { model?: object };
    const answer = await patch(name, { readyVectors: true, ...change, model: { timeoutMs: 5_000, ...model } });
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ path }] } });
    expect(answer.body.issues[0].message).toContain(instead);
    expect(await findIndex(database.db, name)).toEqual(before);
  });

  it.each([
    [{}, '', 'at least one of'],
    [{ model: { timeoutMs: 1 } }, 'model.timeoutMs', '1000'],
    [{ model: { speed: 1 } }, 'model.speed', 'not a known field'],
    [{ vectorIndex: { precision: 'full', dimensions: 9 } }, 'vectorIndex.dimensions', 'at most 8'],
    [{ vectorIndex: { m: 50, efConstruction: 60 } }, 'vectorIndex.efConstruction', 'twice m'],
  ])('refuses %j, naming the field and what was expected', async (change, path, expected) => {
    const { name } = await remoteIndex();
    const answer = await patch(name, change);
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ path }] } });
    expect(answer.body.issues[0].message).toContain(expected);
  });

  it('reaches what the destination of a reindex has taken over from its source, and nothing else', async () => {
    const { db } = database;
    const [source, same, other] = [await remoteIndex(), await remoteIndex(), await remoteIndex({ batchSize: 9 })];
    const { lock } = await lockIn(db, source.name, same.name);
    const settingsOf = async (name: string) => {
      const index = await findIndex(db, name);
      return { readyVectors: index?.readyVectors ?? false, model: index?.model };
    };
    const change = { model: { timeoutMs: 5_000 }, readyVectors: true };
    expect((await patch(source.name, change)).status).toBe(200);
    expect(await settingsOf(same.name)).toMatchObject(change);
    await expireLock(db, lock);
    await lockIn(db, source.name, other.name);
    expect((await patch(source.name, { model: { timeoutMs: 6_000 }, readyVectors: false })).status).toBe(200);
    expect(await settingsOf(same.name)).toMatchObject(change);
    expect(await settingsOf(other.name)).toMatchObject({ readyVectors: false, model: { batchSize: 9 } });
    expect((await settingsOf(other.name)).model).not.toMatchObject({ timeoutMs: 6_000 });
  });

  it('of the destination of a reindex is in the way of no later attempt, and of no other model', async () => {
    const { db } = database;
    const [source, dest] = [await makeIndex(db, uniqueName()), uniqueName('dest')];
    const model = { provider: 'openai', name: 'm', dimensions: 8, baseUrl: before.url, batchSize: 9 };
    const request = { taskId: uniqueName('task'), destModel: modelSchema.parse(model) };
    const { destNo } = await lockIn(db, source.name, dest, request);
    expect((await patch(dest, { model: { timeoutMs: 5_000, baseUrl: after.url } })).status).toBe(200);
    expect(await lockIn(db, source.name, dest, request)).toMatchObject({ destNo });
    expect((await findIndex(db, dest))?.model).toMatchObject({ timeoutMs: 5_000, baseUrl: after.url, batchSize: 9 });
    const other = { ...request, destModel: modelSchema.parse({ ...model, documentPrefix: 'text: ' }) };
    await expect(lockIn(db, source.name, dest, other)).rejects.toMatchObject({ type: 'IndexExists' });
  });

  it('changes nothing if the task that it asks for cannot be started', async () => {
    const { name } = await remoteIndex();
    const stored = await findIndex(database.db, name);
    const change = { model: { timeoutMs: 5_000 }, readyVectors: true, vectorIndex: { m: 24 } };
    expect((await patch(name, change)).status).toBe(503);
    expect(await findIndex(database.db, name)).toEqual(stored);
  });

  it('refuses fields that the provider of the model does not have', async () => {
    const { name } = await makeIndex(database.db, uniqueName());
    const answer = await patch(name, { model: { timeoutMs: 5_000 } });
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ path: 'model.timeoutMs' }] } });
  });

  it('refuses an alias, and an index that a reindex has locked unless only its model changes', async () => {
    const { db } = database;
    const source = await remoteIndex();
    const alias = uniqueName('alias');
    await call(testApi(db), 'PUT', `/v1/aliases/${alias}`, { index: source.name, force: true });
    expect(await patch(alias, { readyVectors: true })).toMatchObject({ status: 404 });
    await lockIn(db, source.name, (await remoteIndex()).name, { lockSeconds: 600 });
    expect(await patch(source.name, { vectorIndex: { m: 8 } })).toMatchObject({
      status: 409,
      body: { type: 'urn:reembed:error:IndexLocked' },
    });
    expect(await patch(source.name, { model: { timeoutMs: 5_000 } })).toMatchObject({ status: 200 });
  });

  it('starts no task for the vector index that the index has', async () => {
    const { name } = await remoteIndex();
    expect(await patch(name, { vectorIndex: { precision: 'full', m: 16, efConstruction: 64 } })).toMatchObject({
      status: 200,
      body: { taskId: null },
    });
  });

  describe('with another address of the model', () => {
    async function moved() {
      const index = await remoteIndex();
      await putWith(index);
      return { index, answer: await patch(index.name, { model: { baseUrl: after.url } }) };
    }

    /** Objects with the vectors that the server of the index gives. */
    async function putWith(index: Awaited<ReturnType<typeof remoteIndex>>) {
      await putObjects(database.db, index, [
        { id: 'a', payload: 'a lion sleeps', metadata: {} },
        { id: 'b', payload: 'a ship at sea', metadata: {} },
      ]);
    }

    it('stores it if the model there has the same vectors', async () => {
      after.behave(() => undefined);
      const { answer } = await moved();
      expect(answer).toMatchObject({ status: 200, body: { model: { baseUrl: after.url } } });
    });

    it('refuses it if the vectors differ, unless it is forced', async () => {
      after.behave(({ texts, number }) => ({
        kind: 'raw',
        status: 200,
        body: JSON.stringify({
          data: texts.map((_, index) => ({ index, embedding: [number + 1, 5, index, 2, 3, 4, -1, 9] })),
          usage: { prompt_tokens: 1 },
        }),
      }));
      const { answer, index } = await moved();
      expect(answer).toMatchObject({ status: 400, body: { issues: [{ path: 'model' }] } });
      expect(answer.body.issues[0].message).toContain('its vectors differ');
      expect((await findIndex(database.db, index.name))?.model).toMatchObject({ baseUrl: before.url });
      const forced = await patch(index.name, { model: { baseUrl: after.url }, force: true });
      expect(forced).toMatchObject({ status: 200, body: { model: { baseUrl: after.url } } });
    });

    it('refuses it if the model does not answer there', async () => {
      after.behave(() => ({ kind: 'error', status: 401 }));
      const { answer, index } = await moved();
      expect(answer).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:NotCurrent' } });
      expect((await findIndex(database.db, index.name))?.model).toMatchObject({ baseUrl: before.url });
    });
  });
});
