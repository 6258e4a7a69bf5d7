import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { call, makeIndex, putObjects, testApi } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openPostgresDatabase();
});
afterAll(() => database?.close());

const ask = (body: unknown) => call(testApi(database.db), 'POST', '/v1/tasks/reindex/plan', body);

async function givenBody() {
  const source = await makeIndex(database.db, uniqueName());
  await putObjects(database.db, source, [{ id: 'a', payload: 'a lion' }]);
  return { source: source.name, dest: uniqueName(), destModel: { provider: 'words' } };
}

test('a plan needs no Temporal', async () => {
  const body = await givenBody();
  const { status, body: plan } = await ask(body);
  expect(status).toBe(200);
  expect(plan).toMatchObject({ source: body.source, parts: { value: 1 }, tokens: { value: 2, basis: 'exact' } });
});

test.each([
  [{ probe: 'no' }, 'probe'],
  [{ sampleObjects: 0 }, 'sampleObjects'],
  [{ sampleObjects: 10_001 }, 'sampleObjects'],
  [{ concurrency: 0 }, 'concurrency'],
  [{ ratePerSecond: -1 }, 'ratePerSecond'],
  [{ dest: 'UPPER' }, 'dest'],
  [{ destModel: { provider: 'words', name: 'other' } }, 'destModel.name'],
  [{ destModel: undefined }, 'destModel'],
  [{ unknown: 1 }, 'unknown'],
])('%j is refused with its field', async (change, field) => {
  const { status, body } = await ask({ ...(await givenBody()), ...change });
  expect(status).toBe(400);
  expect(body.issues.map(({ path }: { path: string }) => path)).toEqual([field]);
});

test('the source as destination is refused', async () => {
  const { source } = await givenBody();
  expect(await ask({ source, dest: source })).toMatchObject({ status: 400, body: { issues: [{ path: 'dest' }] } });
});

test('a missing source is not found', async () => {
  const { status, body } = await ask({ ...(await givenBody()), source: 'nowhere' });
  expect([status, body.type, body.issues[0].path]).toEqual([404, 'urn:reembed:error:IndexNotFound', 'source']);
});

test('an unknown query set is listed, not refused', async () => {
  const { status, body } = await ask({ ...(await givenBody()), approve: { querySet: 'nowhere' } });
  expect(status).toBe(200);
  expect(body.obstacles).toMatchObject([{ reason: 'QuerySetNotFound', field: 'approve.querySet' }]);
});
