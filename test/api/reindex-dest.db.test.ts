import { expect, it } from 'vitest';
import { setAlias } from '../../src/store/aliases.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, testApi } from './support.ts';

onBothDatabases((database) => {
  it.each([
    ['exists with other settings', { dest: 'there', destMetric: 'l2' }, 409, 'dest', 'exists with other settings'],
    ['is the name of an alias', { dest: 'alias', destMetric: 'l2' }, 409, 'dest', 'the name of an alias'],
    ['counts versions differently', { dest: 'external' }, 400, 'dest', 'must have versioning internal'],
  ])('a reindex whose destination %s is refused before it starts', async (_what, body, status, path, message) => {
    const { db } = database();
    const app = testApi(db);
    for (const name of ['books', 'there']) await makeIndex(db, name);
    await makeIndex(db, 'external', { model: { provider: 'hash' }, versioning: 'external' });
    await setAlias(db, 'alias', 'books');
    expect(await call(app, 'POST', '/v1/tasks/reindex/run', { source: 'books', ...body })).toMatchObject({
      status,
      body: { issues: [{ path, message: expect.stringContaining(message) }] },
    });
  });

  it('an approval that decides after a time needs this time', async () => {
    const { db } = database();
    await makeIndex(db, 'books');
    const body = { source: 'books', dest: 'new', destMetric: 'l2', approve: { onTimeout: 'approve' } };
    expect(await call(testApi(db), 'POST', '/v1/tasks/reindex/run', body)).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'approve.onTimeout', message: 'needs `timeout`, after which it decides' }] },
    });
  });
});
