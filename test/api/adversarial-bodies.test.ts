import { afterAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/api/document.ts';
import { call, silentDatabase, testApi } from './support.ts';

const db = silentDatabase();
afterAll(() => db.destroy());
const app = testApi(db);

/** Bodies of up to two megabytes, or of a part of that. */
function bodies(part: number): [what: string, body: string][] {
  const times = (text: string, count: number) => text.repeat(count * part);
  const keys = Array.from({ length: 100_000 * part }, (_, at) => `"k${at}":1`);
  return [
    ['an unclosed text behind a bracket', `]"${'a'.repeat(60)}`],
    ['an unclosed text', `{"a": "${times('b', 1_000_000)}`],
    ['escapes without an end', `]"${times('\\', 900_000)}`],
    ['escaped quotes without an end', `{"a": "${times('\\"', 500_000)}`],
    ['white space', `${times(' ', 2_000_000)}x`],
    ['digits', `[${times('1', 2_000_000)}x`],
    ['many numbers', `[${times('0,', 1_000_000)}x`],
    ['minus signs', times('-', 1_000_000)],
    ['unclosed lists', times('[', 200_000)],
    ['deep lists', times('[', 200_000) + times(']', 200_000)],
    ['unclosed objects', times('{"a":', 200_000)],
    ['a deep object', `${times('{"a":', 200_000)}1${times('}', 200_000)}`],
    ['one key many times', `{${times('"zz":1,', 200_000)}"zz":1}`],
    ['many keys', `{${keys.join()}}`],
  ];
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

  it.each(bodies(0.2))('with %s is refused by every call with the reason', async (_what, body) => {
    for (const { method, path } of CALLS) await expectRefused(method, path, body);
  });

  it.each(bodies(1))('with %s is refused at full length', async (_what, body) => {
    await expectRefused('POST', '/v1/indexes/docs/search', body);
    await expectRefused('POST', '/v1/tasks/upsert/run', body);
  });
});

async function expectRefused(method: string, path: string, body: string): Promise<void> {
  const { status, body: problem } = await call(app, method, path, body);
  expect([method, path, status, problem.type]).toEqual([method, path, 400, 'urn:reembed:error:InvalidInput']);
  expect(JSON.stringify(problem).length).toBeLessThan(20_000);
}
