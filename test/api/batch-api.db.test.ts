import { expect, it } from 'vitest';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, testApi } from './support.ts';

onBothDatabases((database) => {
  it.each([
    ['of a new index', { destModel: { provider: 'cohere', name: 'embed-v4.0' } }, 'the provider cohere'],
    ['of the source', { destMetric: 'l2' }, 'the provider hash'],
  ])(
    'batches of a model %s whose provider has none are refused at once, with the field',
    async (_of, body, message) => {
      const { db } = database();
      const app = testApi(db);
      await makeIndex(db, 'books');
      const request = { source: 'books', dest: 'books-v2', batchApi: true, ...body };
      expect(await call(app, 'POST', '/v1/tasks/reindex/run', request)).toMatchObject({
        status: 400,
        body: { issues: [{ path: 'batchApi', message: expect.stringContaining(message) }] },
      });
      expect((await call(app, 'GET', '/v1/indexes/books-v2')).status).toBe(404);
    },
  );
});
