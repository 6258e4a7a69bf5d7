import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { createClient } from '../../src/client/client.ts';
import { createModels } from '../../src/models/models.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { uniqueName } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, type Rig, silentLog, startRig, startTemporal } from '../support/rig.ts';

const OBJECTS = 60;
const items = Array.from({ length: OBJECTS }, (_, at) => ({ id: `o${at}`, payload: `animal number ${at}` }));

let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let rig: Rig;
let client: ReturnType<typeof createClient>;
beforeAll(async () => {
  database = await openPostgresDatabase();
  environment = await startTemporal('dev');
  rig = await startRig({ environment, db: database.db, settings: { vectorIndexAfterParts: 1 } });
  const api = createApi({
    ...{ db: database.db, client: environment.client, taskQueue: rig.taskQueue, log: silentLog },
    models: createModels({ env: {} }),
  });
  client = createClient({ baseUrl: 'http://127.0.0.1', fetch: async (...call) => api.fetch(new Request(...call)) });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

/** An alias of an index with objects. */
async function givenAlias(): Promise<string> {
  const [alias, source] = [uniqueName('alias'), uniqueName('index')];
  await client.indexes.create(source, { model: { provider: 'hash', dimensions: 32 } });
  const { id } = await client.tasks.upsert({ index: source, items });
  expect(await endOf(environment.client.workflow.getHandle(id))).toMatchObject({ status: 'done' });
  await client.aliases.set(alias, source);
  return alias;
}

async function reindex(body: Parameters<typeof client.tasks.reindex>[0]) {
  const { id } = await client.tasks.reindex(body);
  return endOf(environment.client.workflow.getHandle(id));
}

/** The type of the stored vectors, and the definition of the HNSW index. */
async function storedOf(name: string): Promise<{ type: string; definition: string }> {
  const no = (await findIndex(database.db, name))?.no;
  const { rows } = await sql<{ type: string; definition: string }>`
    select format_type(a.atttypid, a.atttypmod) as type, pg_get_indexdef(${`reembed.parts_${no}_hnsw`}::regclass) as definition
    from pg_attribute a
    where a.attrelid = ${`reembed.parts_${no}`}::regclass and a.attname = 'embedding'`.execute(database.db);
  return rows[0] as { type: string; definition: string };
}

test('a reindex to half precision and a bit index calls no model, as its plan says, and serves the same objects', async () => {
  const [alias, dest] = [await givenAlias(), uniqueName('index')];
  const change = { source: alias, dest, destStorage: 'halfvec', destVectorIndex: { precision: 'bit' } } as const;
  const plan = await client.tasks.planReindex(change);
  expect(plan).toMatchObject({
    objects: { value: OBJECTS },
    copied: { value: OBJECTS },
    reusedTexts: { value: OBJECTS },
    parts: { value: 0 },
    calls: { value: 0 },
    hnsw: { precision: 'bit', dimensions: 32 },
  });
  const { hits: before } = await client.search(alias, { text: 'animal number 7', limit: 5 });
  const tracker = await reindex(change);
  expect(tracker).toMatchObject({ status: 'done', data: { reused: OBJECTS } });
  const index = await client.indexes.get(alias);
  expect(index).toMatchObject({
    name: dest,
    objects: OBJECTS,
    storage: 'halfvec',
    vectorIndex: { kind: 'hnsw', precision: 'bit', dimensions: 32 },
    vectorIndexReady: true,
  });
  const { type, definition } = await storedOf(dest);
  expect(type).toBe('halfvec');
  expect(definition).toContain('binary_quantize');
  const { hits: after } = await client.search(alias, { text: 'animal number 7', limit: 5 });
  expect(after[0]).toMatchObject({ id: before[0]?.id, score: expect.closeTo(before[0]?.score ?? 0, 2) });
});

test('a reindex whose HNSW index grows with the copy ends with an index that finds every object', async () => {
  const [alias, dest] = [await givenAlias(), uniqueName('index')];
  const change = {
    ...{ source: alias, dest, destModel: { provider: 'hash' as const, dimensions: 64 } },
    indexBuild: 'during' as const,
  };
  expect(await client.tasks.planReindex(change)).toMatchObject({
    indexBuild: { asked: 'during' },
    seconds: { build: { value: 0 } },
  });
  const tracker = await reindex(change);
  expect(tracker).toMatchObject({ status: 'done' });
  expect(tracker.data.verified).toMatchObject({ dest: OBJECTS, recall: 1 });
  // It was there before the first slice was copied.
  const { events } = await environment.client.workflow.getHandle(tracker.id).fetchHistory();
  const built = events?.findIndex(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'buildVectorIndex',
  );
  const copied = events?.findIndex((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
  expect(built).toBeGreaterThan(0);
  expect(copied).toBeGreaterThan(built ?? 0);
  expect(await client.indexes.get(alias)).toMatchObject({ name: dest, vectorIndexReady: true });
  const { hits } = await client.search(alias, { text: 'animal number 7', limit: OBJECTS, ef: 200 });
  expect(hits).toHaveLength(OBJECTS);
});
