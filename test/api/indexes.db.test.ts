import { describe, expect, it } from 'vitest';
import { createRouter } from '../../src/api/create-router.ts';
import { createDeleteIndexRouter } from '../../src/api/delete-index.ts';
import { onError } from '../../src/api/problems.ts';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import { type ModelConfig, modelSchema } from '../../src/contract/models.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { ensureIndex } from '../../src/store/indexes.ts';
import { lockPair } from '../../src/store/protocol/lock-pair.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, listeningLog, makeIndex, putObjects, removeObject, testApi } from './support.ts';

const indexWith = (model: ModelConfig) => ({ ...indexConfigSchema.parse(HASH), model });

const HASH = { model: { provider: 'hash', dimensions: 16 } };

onBothDatabases((database) => {
  const app = () => testApi(database().db);
  /** Its tasks are only recorded. */
  const deleting = () => {
    const { db } = database();
    const router = createRouter();
    router.onError(onError());
    return router.route(
      '/v1/indexes',
      createDeleteIndexRouter({ db, start: async (body) => ({ id: 'started', body }) as never }),
    );
  };

  describe('PUT /v1/indexes/{index}', () => {
    it('creates once: 201, the same again 200, other settings 409', async () => {
      const created = await call(app(), 'PUT', '/v1/indexes/films', HASH);
      expect(created).toMatchObject({
        status: 201,
        body: { name: 'films', metric: 'cosine', objects: 0, aliases: [], lock: null, state: 'active' },
      });
      const again = await call(app(), 'PUT', '/v1/indexes/films', { metric: 'cosine', ...HASH });
      expect(again.status).toBe(200);
      const other = await call(app(), 'PUT', '/v1/indexes/films', { ...HASH, metric: 'l2' });
      expect(other).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:IndexExists', status: 409 } });
    });

    it('fills in what is known of a model, says so, and accepts the same again', async () => {
      const put = (model: object) => call(app(), 'PUT', '/v1/indexes/known', { model });
      const created = await put({ provider: 'ollama', name: 'nomic-embed-text' });
      expect(created).toMatchObject({
        status: 201,
        body: {
          model: { dimensions: 768, windowTokens: 2048, queryPrefix: 'search_query: ' },
          modelDefaults: { fields: ['dimensions', 'windowTokens', 'queryPrefix', 'documentPrefix'] },
        },
      });
      expect((await put({ provider: 'ollama', name: 'nomic-embed-text' })).status).toBe(200);
      const other = await put({ provider: 'ollama', name: 'nomic-embed-text', queryPrefix: 'q: ' });
      expect(other).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:IndexExists' } });
    });

    it('keeps an index whose model was created before more was known of it', async () => {
      const model = { provider: 'ollama', name: 'nomic-embed-text', dimensions: 768 };
      await database()
        .db.transaction()
        .execute((trx) => ensureIndex(trx, 'before', indexWith(modelSchema.parse(model))));
      expect((await call(app(), 'PUT', '/v1/indexes/before', { model })).status).toBe(200);
      expect((await call(app(), 'GET', '/v1/indexes/before')).body.model).not.toHaveProperty('windowTokens');
    });

    it('reports how vectors are searched, with a warning where no vector index is possible', async () => {
      const put = (name: string, dimensions: number) =>
        call(app(), 'PUT', `/v1/indexes/${name}`, { model: { provider: 'hash', dimensions } });
      expect((await put('narrow', 2_000)).body).toMatchObject({ vectorIndex: { precision: 'full' } });
      const half = (await put('wide', 2_001)).body;
      expect(half).toMatchObject({
        vectorIndex: { precision: 'half' },
        description: expect.stringContaining('half precision'),
      });
      const none = (await put('widest', 4_001)).body;
      expect(none).toMatchObject({
        vectorIndex: { kind: 'none' },
        description: expect.stringMatching(/^Warning: .*4001/),
      });
    });

    it('names the field when a model does not exist', async () => {
      const config = { model: { provider: 'custom', name: 'nowhere', dimensions: 3 } };
      const { status, body } = await call(app(), 'PUT', '/v1/indexes/unmade', config);
      expect(status).toBe(400);
      expect(body.issues).toEqual([{ path: 'model.name', message: expect.stringContaining('nowhere') }]);
      expect((await call(app(), 'GET', '/v1/indexes/unmade')).status).toBe(404);
    });

    it('refuses the name of an alias', async () => {
      await makeIndex(database().db, 'behind', HASH);
      await setAlias(database().db, 'front', 'behind');
      const { status, body } = await call(app(), 'PUT', '/v1/indexes/front', HASH);
      expect([status, body.type]).toEqual([409, 'urn:reembed:error:NameTaken']);
    });
  });

  it('returns an index by its name and by its alias, with exact counts', async () => {
    const index = await makeIndex(database().db, 'counted', HASH);
    await setAlias(database().db, 'counted-alias', 'counted');
    await putObjects(database().db, index, [
      { id: 'a', payload: 'one' },
      { id: 'b', payload: 'two' },
    ]);
    await removeObject(database().db, 'counted', 'b');
    for (const name of ['counted', 'counted-alias']) {
      expect((await call(app(), 'GET', `/v1/indexes/${name}`)).body).toMatchObject({
        name: 'counted',
        objects: 1,
        parts: 1,
        tombstones: 1,
        aliases: ['counted-alias'],
      });
    }
    const { body } = await call(app(), 'GET', '/v1/indexes');
    expect(body.indexes.map((one: { name: string }) => one.name)).toContain('counted');
  });

  describe('aliases', () => {
    it('do not move to an index that lacks what they serve, report what is missing, and move when forced', async () => {
      const full = await makeIndex(database().db, 'full', HASH);
      await makeIndex(database().db, 'lacking', HASH);
      await putObjects(database().db, full, [{ id: 'lion', payload: 'a lion' }]);
      await call(app(), 'PUT', '/v1/aliases/moved', { index: 'full' });
      const refused = await call(app(), 'PUT', '/v1/aliases/moved', { index: 'lacking' });
      expect(refused).toMatchObject({
        status: 409,
        body: { type: 'urn:reembed:error:NotCurrent', detail: expect.stringContaining('for instance lion') },
      });
      const forced = await call(app(), 'PUT', '/v1/aliases/moved', { index: 'lacking', force: true });
      expect(forced).toMatchObject({ status: 200, body: { alias: 'moved', index: 'lacking' } });
      const wrong = await call(app(), 'PUT', '/v1/aliases/moved', { index: 'full', force: 'yes' });
      expect(wrong).toMatchObject({ status: 400, body: { issues: [{ path: 'force' }] } });
    });

    it('do not point to an index whose model does not answer, say why, and do when forced', async () => {
      const baseUrl = 'http://127.0.0.1:1/v1';
      await makeIndex(database().db, 'mute', { model: { provider: 'openai', name: 'mute', dimensions: 4, baseUrl } });
      const refused = await call(app(), 'PUT', '/v1/aliases/muted', { index: 'mute' });
      expect(refused).toMatchObject({ status: 409, body: { type: 'urn:reembed:error:NotCurrent' } });
      expect(refused.body.detail).toMatch(/the model of mute does not work \(.*127\.0\.0\.1.*set force/);
      expect((await call(app(), 'GET', '/v1/aliases')).body.aliases).not.toContainEqual({
        alias: 'muted',
        index: 'mute',
      });
      const forced = await call(app(), 'PUT', '/v1/aliases/muted', { index: 'mute', force: true });
      expect(forced).toMatchObject({ status: 200, body: { alias: 'muted', index: 'mute' } });
    });

    it('are set, moved, listed and removed', async () => {
      await makeIndex(database().db, 'blue', HASH);
      await makeIndex(database().db, 'green', HASH);
      const set = await call(app(), 'PUT', '/v1/aliases/live', { index: 'blue' });
      expect(set).toMatchObject({ status: 200, body: { alias: 'live', index: 'blue' } });
      await call(app(), 'PUT', '/v1/aliases/live', { index: 'green' });
      const { body } = await call(app(), 'GET', '/v1/aliases');
      expect(body.aliases).toContainEqual({ alias: 'live', index: 'green' });
      const removed = await call(app(), 'DELETE', '/v1/aliases/live');
      expect([removed.status, removed.body]).toEqual([204, '']);
      const gone = await call(app(), 'DELETE', '/v1/aliases/live');
      expect([gone.status, gone.body.type]).toEqual([404, 'urn:reembed:error:AliasNotFound']);
    });

    it('cannot have the name of an index or point to a missing one', async () => {
      await makeIndex(database().db, 'taken', HASH);
      const taken = await call(app(), 'PUT', '/v1/aliases/taken', { index: 'taken' });
      expect([taken.status, taken.body.type]).toEqual([409, 'urn:reembed:error:NameTaken']);
      const nowhere = await call(app(), 'PUT', '/v1/aliases/lost', { index: 'nowhere' });
      expect([nowhere.status, nowhere.body.type]).toEqual([404, 'urn:reembed:error:IndexNotFound']);
    });
  });

  describe('DELETE /v1/indexes/{index}', () => {
    it('starts a task', async () => {
      await makeIndex(database().db, 'doomed', HASH);
      const { status, body } = await call(deleting(), 'DELETE', '/v1/indexes/doomed?taskId=t1');
      expect(status).toBe(202);
      expect((await call(deleting(), 'DELETE', '/v1/indexes/gone?taskId=t0')).status).toBe(202);
      expect((await call(deleting(), 'DELETE', '/v1/indexes/gone')).status).toBe(404);
      expect(body).toEqual({ id: 'started', body: { index: 'doomed', force: false, taskId: 't1', maxAttempts: 3 } });
    });

    it('is refused immediately while an alias points to it, unless forced', async () => {
      await makeIndex(database().db, 'served', HASH);
      await setAlias(database().db, 'serving', 'served');
      const refused = await call(deleting(), 'DELETE', '/v1/indexes/served');
      expect([refused.status, refused.body.type]).toEqual([409, 'urn:reembed:error:IndexAliased']);
      expect(refused.body.detail).toContain('serving');
      for (const query of ['force=true', 'force']) {
        expect((await call(deleting(), 'DELETE', `/v1/indexes/served?${query}`)).status).toBe(202);
      }
      const byAlias = await call(deleting(), 'DELETE', '/v1/indexes/serving');
      expect([byAlias.status, byAlias.body.detail]).toEqual([404, expect.stringContaining('served')]);
      const odd = await call(deleting(), 'DELETE', '/v1/indexes/served?force=perhaps');
      expect([odd.status, odd.body.issues[0].path]).toEqual([400, 'query.force']);
    });

    it('is refused immediately while a reindex holds the index, even with force', async () => {
      await makeIndex(database().db, 'held', HASH);
      await makeIndex(database().db, 'held-2', HASH);
      const lock = '00000000-0000-4000-8000-000000000001';
      const request = { taskId: 'rebuild', lock, lockSeconds: 60, source: 'held', dest: 'held-2' };
      await lockPair(database().db, { ...request, maxConcurrentReindexes: 9 });
      for (const path of ['/v1/indexes/held?force=true', '/v1/indexes/held-2']) {
        const { status, body } = await call(deleting(), 'DELETE', path);
        expect([status, body.type]).toEqual([409, 'urn:reembed:error:IndexLocked']);
        expect(body.detail).toContain('rebuild');
      }
      const info = (await call(app(), 'GET', '/v1/indexes/held')).body;
      expect(info.lock).toMatchObject({ source: 'held', dest: 'held-2', taskId: 'rebuild' });
    });
  });

  it('logs no query string, which could contain a token, and no body', async () => {
    const log = listeningLog();
    await call(testApi(database().db, { log }), 'PUT', '/v1/indexes/logged?token=secret', HASH);
    expect(log.lines).toMatchObject([{ method: 'PUT', path: '/v1/indexes/logged', message: 'request' }]);
    expect(JSON.stringify(log.lines)).not.toMatch(/secret|dimensions/);
  });
});
