import { expect, it } from 'vitest';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, testApi } from './support.ts';

const REFUSED: [what: string, model: object, field: string][] = [
  ['a key of this process', { baseUrl: 'http://127.0.0.1:1/v1', apiKeyEnv: 'HOME' }, 'apiKeyEnv'],
  ['a key of another provider', { baseUrl: 'https://evil.example/v1', apiKeyEnv: 'OPENAI_API_KEY' }, 'apiKeyEnv'],
  ['the metadata of a cloud', { baseUrl: 'http://169.254.169.254/latest' }, 'baseUrl'],
];

onBothDatabases((database) => {
  it.each(REFUSED)(
    'an index or a rebuild with %s is refused before anything is created',
    async (_what, model, field) => {
      const { db } = database();
      const app = testApi(db);
      await makeIndex(db, 'books');
      const bad = { provider: 'openai', name: 'm', dimensions: 4, ...model };
      expect(await call(app, 'PUT', '/v1/indexes/stolen', { model: bad })).toMatchObject({
        status: 400,
        body: { issues: [{ path: `model.${field}` }] },
      });
      const body = { source: 'books', dest: 'stolen', destModel: bad };
      expect(await call(app, 'POST', '/v1/tasks/reindex/run', body)).toMatchObject({
        status: 400,
        body: { issues: [{ path: `destModel.${field}` }] },
      });
      expect((await call(app, 'GET', '/v1/indexes/stolen')).status).toBe(404);
    },
  );
});
