import { afterAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/api/document.ts';
import { call, silentDatabase, testApi } from './support.ts';

const db = silentDatabase();
afterAll(() => db.destroy());
const app = testApi(db);

const DEEP = 200_000;

const BODIES: [what: string, body: string][] = [
  ['an unclosed text behind a bracket', `]"${'a'.repeat(60)}`],
  ['an unclosed text', `{"a": "${'b'.repeat(1_000_000)}`],
  ['escapes without an end', `]"${'\\'.repeat(900_000)}`],
  ['escaped quotes without an end', `{"a": "${'\\"'.repeat(500_000)}`],
  ['white space', `${' '.repeat(2_000_000)}x`],
  ['digits', `[${'1'.repeat(2_000_000)}x`],
  ['many numbers', `[${'0,'.repeat(1_000_000)}x`],
  ['minus signs', '-'.repeat(1_000_000)],
  ['unclosed lists', '['.repeat(DEEP)],
  ['deep lists', '['.repeat(DEEP) + ']'.repeat(DEEP)],
  ['unclosed objects', '{"a":'.repeat(DEEP)],
  ['a deep object', `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`],
  ['one key many times', repeatedKey(20_000)],
  ['many keys', manyKeys(10_000)],
];

function repeatedKey(times: number): string {
  return `{${'"zz":1,'.repeat(times)}"zz":1}`;
}

function manyKeys(count: number): string {
  return `{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join()}}`;
}

/** Every call that takes JSON, with a name for each parameter of its path. */
const CALLS = Object.entries(openApiDocument(app).paths ?? {}).flatMap(([path, item]) =>
  (['put', 'post'] as const).flatMap((method) =>
    item[method]?.requestBody ? [{ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'docs') }] : [],
  ),
);

describe('a body designed to be slow', () => {
  it('is sent to every call that takes JSON', () => {
    expect(CALLS.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/v1/indexes/docs', '/v1/indexes/docs/search', '/v1/tasks/upsert/run', '/codec/decode']),
    );
  });

  it.each(BODIES)('with %s is refused by every call with the reason', async (_what, body) => {
    for (const { method, path } of CALLS) await expectRefused(method, path, body);
  });

  it.each([
    ['one key 200,000 times', repeatedKey(200_000)],
    ['100,000 keys', manyKeys(100_000)],
  ])('with %s is refused with the reason', async (_what, body) => {
    await expectRefused('POST', '/v1/indexes/docs/search', body);
    await expectRefused('POST', '/v1/tasks/upsert/run', body);
  });
});

async function expectRefused(method: string, path: string, body: string): Promise<void> {
  const { status, body: problem } = await call(app, method, path, body);
  expect([method, path, status, problem.type]).toEqual([method, path, 400, 'urn:reembed:error:InvalidInput']);
  expect(JSON.stringify(problem).length).toBeLessThan(20_000);
}
