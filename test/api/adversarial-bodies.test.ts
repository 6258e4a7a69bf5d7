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
  ['one key many times', `{${'"zz":1,'.repeat(200_000)}"zz":1}`],
  ['many keys', `{${Array.from({ length: 100_000 }, (_, at) => `"k${at}":1`).join()}}`],
];

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
    for (const { method, path } of CALLS) {
      const answer = await call(app, method, path, body);
      expect([method, path, answer.status, answer.body.type]).toEqual([
        method,
        path,
        400,
        'urn:reembed:error:InvalidInput',
      ]);
      expect(JSON.stringify(answer.body).length).toBeLessThan(20_000);
    }
  });
});
