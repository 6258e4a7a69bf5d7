import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { readItemLine, readItems, type WriteBody } from '../../../src/api/body/items.ts';
import { createInputHash } from '../../../src/api/tasks/input-hash.ts';
import type { ReembedError } from '../../../src/contract/errors.ts';
import { Pace } from '../../../src/cpu/pace.ts';
import { EncodedItem } from '../../../src/store/encoded-item.ts';

/** More than is parsed on the event loop. */
const LONG = 'a "long" text 🦁 '.repeat(20_000);

const read = (body: string, type: 'upsert' | 'delete' = 'upsert') => readStream(body, type);

async function readStream(
  body: string | ReadableStream<Uint8Array>,
  type: 'upsert' | 'delete' = 'upsert',
): Promise<WriteBody> {
  let result: Promise<WriteBody> | undefined;
  const app = new Hono().post('/', async (c) => {
    result = readItems(c, type);
    await result.catch(() => {});
    return c.text('');
  });
  await app.request('/', { method: 'POST', body, duplex: 'half' } as RequestInit);
  return result as Promise<WriteBody>;
}

const issuesOf = (body: string) =>
  read(body).then(
    () => [],
    (error: ReembedError) => error.issues,
  );

async function hashOf(items: readonly unknown[]): Promise<string> {
  const hash = createInputHash({ type: 'upsert' });
  for (const item of items) await hash.add(item, new Pace());
  return hash.digest();
}

test('a large body gives the same items as a small one, encoded', async () => {
  const items = [
    { payload: { b: LONG, a: [1, null] }, id: 'a', metadata: { z: 1, y: 'é' } },
    { id: 'b', uri: 'http://x.test/', version: 3 },
  ];
  const body = await read(JSON.stringify({ maxAttempts: 2, index: 'docs', items }));
  const { items: encoded, ...options } = body as WriteBody & { items: EncodedItem[] };
  expect(options).toMatchObject({ maxAttempts: 2, index: 'docs' });
  expect(encoded.map(({ id, version }) => [id, version])).toEqual([
    ['a', undefined],
    ['b', 3],
  ]);
  expect(encoded.every((item) => item instanceof EncodedItem)).toBe(true);
  expect(encoded.map(({ json }) => JSON.parse(Buffer.from(json).toString()))).toEqual(items);
  expect(await hashOf(encoded)).toBe(await hashOf(items));
});

test('a large body of ids is read too', async () => {
  const ids = Array.from({ length: 1_000 }, (_, at) => `${'x'.repeat(300)}${at}`);
  const body = (await read(JSON.stringify({ index: 'docs', ids }), 'delete')) as unknown as { ids: EncodedItem[] };
  expect(body.ids.map(({ id }) => id)).toEqual(ids);
});

test('a large line gives the same item as a small one, encoded', async () => {
  const item = { id: 'a', payload: LONG };
  const encoded = await readItemLine({ number: 7, bytes: Buffer.from(JSON.stringify(item)) }, 'upsert');
  expect(encoded).toBeInstanceOf(EncodedItem);
  expect(await hashOf([encoded])).toBe(await hashOf([item]));
});

test.each([
  ['a missing id', '{"index":"docs","items":[LONG,{"payload":"x"}]}'],
  ['half of a surrogate pair', '{"index":"docs","items":[LONG,{"id":"b","payload":"\\ud800"}]}'],
  ['a repeated id', '{"index":"docs","items":[LONG,{"id":"a","payload":"x"}]}'],
  ['an unknown option', '{"index":"docs","unknown":1,"items":[LONG]}'],
  ['no items', '{"index":"docs","items":LONG}'],
])('%s in a large body is refused with the field as in a small one', async (_what, body) => {
  const withText = (payload: string) => body.replace('LONG', JSON.stringify({ id: 'a', payload }));
  const issues = await issuesOf(withText(LONG));
  expect(issues.length).toBeGreaterThan(0);
  expect(issues.map(({ path }) => path)).toEqual((await issuesOf(withText('short'))).map(({ path }) => path));
});

test('an item of a large body that is not JSON is named', async () => {
  const [issue] = await issuesOf(`{"index":"docs","items":[${JSON.stringify({ id: 'a', payload: LONG })},oops]}`);
  expect(issue).toMatchObject({ path: 'items.1' });
});

test('a bad field of a large line is named with its line', async () => {
  const bytes = Buffer.from(JSON.stringify({ id: 'a', payload: LONG, extra: 1 }));
  await expect(readItemLine({ number: 7, bytes }, 'upsert')).rejects.toMatchObject({
    issues: [{ path: 'line 7.extra' }],
  });
});

test('a large body that comes in many pieces, without a length, is read whole', async () => {
  const items = Array.from({ length: 40 }, (_, at) => ({ id: `i${at}`, payload: `${at} `.repeat(40_000) }));
  const bytes = Buffer.from(JSON.stringify({ index: 'docs', items }));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let from = 0; from < bytes.length; from += 50_001) controller.enqueue(bytes.subarray(from, from + 50_001));
      controller.close();
    },
  });
  const whole = (await readStream(body)) as unknown as { items: EncodedItem[] };
  expect(whole.items.map(({ json }) => JSON.parse(Buffer.from(json).toString()))).toEqual(items);
});
