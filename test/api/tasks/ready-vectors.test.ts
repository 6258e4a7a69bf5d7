import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { indexConfigSchema } from '../../../src/contract/indexes.ts';
import { encodeVector } from '../../../src/contract/ready-parts.ts';
import { setAlias } from '../../../src/store/aliases.ts';
import { transaction } from '../../../src/store/database.ts';
import { ensureIndex, resolveIndex } from '../../../src/store/indexes.ts';
import { getObject } from '../../../src/store/objects.ts';
import { readParts } from '../../../src/store/stored-parts.ts';
import { openWorld, uniqueName, type World } from '../../temporal/support.ts';
import { taskApi } from './support.ts';

let world: World;
let api: ReturnType<typeof taskApi>;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  api = taskApi(world);
});
afterAll(() => world?.close());

const hash = (dimensions: number) => ({ provider: 'hash', dimensions }) as const;

/** An index that takes vectors, with an alias; returns both names. */
async function givenIndex(config: object = {}) {
  const [name, alias] = [uniqueName('index'), uniqueName('alias')];
  const parsed = indexConfigSchema.parse({ model: hash(3), readyVectors: true, ...config });
  await transaction(world.db, (trx) => ensureIndex(trx, name, parsed));
  await setAlias(world.db, alias, name);
  return { name, alias };
}

const upsert = (index: string, items: object[]) => api.call('POST', '/upsert/run?wait=true', { index, items });

/** Numbers of the parts of an object, with their ranges; null for none. */
async function partsOf(name: string, id: string) {
  const index = await resolveIndex(world.db, name);
  const { version } = await getObject(world.db, index, id);
  const parts = (await readParts(world.db, index.no, [{ id, version }], { vectors: true })).get(id) ?? [];
  return parts.map(({ start, end, embedding }) => [start, end, [...embedding]]);
}

const items = [
  {
    id: 'a',
    metadata: { n: 1 },
    parts: [
      { text: 'one', vector: [1, 2, 3] },
      { text: 'two', vector: [3, 2, 1] },
    ],
  },
  { id: 'b', parts: [{ text: 'three', vector: encodeVector([1, 1, 2]) }] },
  { id: 'image', payload: { file: 'x.png' }, parts: [{ vector: [0, 0, 1] }] },
];

describe('an upsert with ready vectors', () => {
  test('stores them without the model, from JSON and from lines alike', async () => {
    for (const send of [
      (name: string) => upsert(name, items),
      (name: string) =>
        api.lines(`/upsert/run?index=${name}&wait=true`, items.map((item) => JSON.stringify(item)).join('\n')),
    ]) {
      const { name } = await givenIndex();
      expect(await send(name)).toMatchObject({
        status: 200,
        body: { status: 'done', data: { written: 3, failed: 0 } },
      });
      expect(await partsOf(name, 'a')).toEqual([
        [0, 3, [1, 2, 3]],
        [4, 7, [3, 2, 1]],
      ]);
      expect(await partsOf(name, 'b')).toEqual([[0, 5, [1, 1, 2]]]);
      expect(await partsOf(name, 'image')).toEqual([[null, null, [0, 0, 1]]]);
      expect(await getObject(world.db, await resolveIndex(world.db, name), 'a')).toMatchObject({
        payload: 'one\ntwo',
        metadata: { n: 1 },
      });
      expect((await send(name)).body.data).toMatchObject({ written: 3, unchanged: 3 });
    }
  });

  test('takes items of many megabytes, as numbers and as base64', async () => {
    const { name } = await givenIndex({ model: hash(1_500) });
    const vector = (at: number) => Array.from({ length: 1_500 }, (_, place) => Math.fround(Math.sin(at + place)));
    const numbers = {
      id: 'n',
      parts: Array.from({ length: 300 }, (_, at) => ({ text: `t${at}`, vector: vector(at) })),
    };
    const base64 = { ...numbers, id: 'b', parts: numbers.parts.map((p) => ({ ...p, vector: encodeVector(p.vector) })) };
    const answer = await upsert(name, [numbers, base64]);
    expect(answer).toMatchObject({ status: 200, body: { status: 'done', data: { written: 2, failed: 0 } } });
    const stored = await partsOf(name, 'n');
    expect(stored[299]?.[2]).toEqual(vector(299));
    expect(stored).toEqual(await partsOf(name, 'b'));
  });

  test.each<[string, object, object, string]>([
    ['to an index that does not take them', { readyVectors: undefined }, { vector: [1, 2, 3] }, 'parts'],
    ['of other dimensions', {}, { vector: [1, 2] }, 'parts.0.vector'],
    ['of zeros', {}, { vector: [0, 0, 0] }, 'parts.0.vector'],
  ])('%s is refused at once, with the field', async (_what, config, part, field) => {
    const { name } = await givenIndex(config);
    const item = { id: 'a', parts: [{ text: 'x', ...part }] };
    const large = { id: 'large', payload: 'x'.repeat(300_000), parts: [{ start: 0, end: 3, ...part }] };
    for (const one of [item, large]) {
      const json = await upsert(name, [{ ...item, id: 'good', parts: undefined, payload: 'x' }, one]);
      expect(json).toMatchObject({ status: 400, body: { issues: [{ path: `items.1.${field}` }] } });
      const lines = await api.lines(`/upsert/run?index=${name}`, JSON.stringify(one));
      expect(lines).toMatchObject({ status: 400, body: { issues: [{ path: `line 1.${field}` }] } });
    }
    const nan = '{"id":"a","parts":[{"text":"x","vector":[1,NaN,2]}]}';
    expect(await api.lines(`/upsert/run?index=${name}`, nan)).toMatchObject({ status: 400 });
  });
});

describe('a reindex of ready vectors', () => {
  test('keeps them in an index with the same model', async () => {
    const { name, alias } = await givenIndex();
    await upsert(name, items);
    const dest = uniqueName('dest');
    const body = { source: alias, dest, destModel: hash(3), destAverage: true };
    const reindex = await api.call('POST', '/reindex/run?wait=true', body);
    expect(reindex).toMatchObject({ status: 200, body: { status: 'done' } });
    for (const { id } of items) expect(await partsOf(dest, id)).toEqual(await partsOf(name, id));
    expect((await resolveIndex(world.db, alias)).readyVectors).toBe(true);
  });

  test('embeds the texts again by another model, and fails the parts that have none', async () => {
    const { name, alias } = await givenIndex();
    const mixed = { id: 'mixed', parts: [{ text: 'x', vector: [1, 1, 1] }, { vector: [1, 2, 3] }] };
    await upsert(name, [...items, mixed]);
    const dest = uniqueName('dest');
    const taskId = uniqueName('reindex');
    const body = { taskId, source: alias, dest, destModel: hash(4), maxFailed: -1 };
    const reindex = await api.call('POST', '/reindex/run?wait=true', body);
    expect(reindex).toMatchObject({ status: 200, body: { status: 'done' } });
    const failed = () => api.call('GET', `/failed-items?taskId=${taskId}`);
    const both = [
      { objectId: 'image', stage: 'embed', reason: 'NoText' },
      { objectId: 'mixed', stage: 'embed', reason: 'NoText' },
    ];
    expect((await failed()).body.items).toMatchObject(both);
    const parts = await partsOf(dest, 'a');
    expect(parts.map(([start, end]) => [start, end])).toEqual([
      [0, 3],
      [4, 7],
    ]);
    expect(parts[0]?.[2]).toHaveLength(4);
    await api.call('PUT', `/restart?taskId=${taskId}&onlyFailed=true&wait=true`);
    expect((await failed()).body.items).toMatchObject(both);

    // A write to the alias goes to the new model: vectors of its dimensions are taken, others are refused.
    expect((await upsert(alias, [mixed])).status).toBe(400);
    const next = { id: 'next', parts: [{ text: 'x', vector: [1, 2, 3, 4] }] };
    expect((await upsert(alias, [next])).body.data).toMatchObject({ written: 1, failed: 0 });
  });
});
