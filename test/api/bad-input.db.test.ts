import { serve } from '@hono/node-server';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/api/problems.ts';
import { LIMITS } from '../../src/contract/limits.ts';
import { onBothDatabases } from '../support/databases.ts';
import { type Answer, call, makeIndex, silentDatabase, testApi } from './support.ts';

const HASH = { model: { provider: 'hash', dimensions: 4 } };
const LONG = 'x'.repeat(LIMITS.objectIdChars + 1);
const LONG_NAME = 'x'.repeat(LIMITS.nameChars + 1);
const INDEX = '/v1/indexes/books';
const INJECTIONS = ["'; drop schema reembed cascade; --", '<script>alert(1)</script>', '../../etc/passwd', '{{7*7}}'];

/** A request, and the status, type and first bad field of the problem returned for it. */
const TABLE: [
  what: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  type: string,
  field?: string,
][] = [
  ['an unknown index', 'GET', '/v1/indexes/nowhere', undefined, 404, 'IndexNotFound'],
  ['a search of an unknown index', 'POST', '/v1/indexes/nowhere/search', { text: 'x' }, 404, 'IndexNotFound'],
  ['objects of an unknown index', 'GET', '/v1/indexes/nowhere/objects', undefined, 404, 'IndexNotFound'],
  ['an unknown object', 'GET', `${INDEX}/objects/nothing`, undefined, 404, 'ObjectNotFound'],
  ['a vector of the wrong dimension', 'POST', `${INDEX}/search`, { vector: [1] }, 400, 'InvalidInput', 'vector'],
  ['a vector with text in it', 'POST', `${INDEX}/search`, { vector: [1, 'a', 3, 4] }, 400, 'InvalidInput', 'vector.1'],
  ['an empty vector', 'POST', `${INDEX}/search`, { vector: [] }, 400, 'InvalidInput', 'vector'],
  ['text and vector', 'POST', `${INDEX}/search`, { text: 'x', vector: [1] }, 400, 'InvalidInput', 'text'],
  ['neither text nor vector', 'POST', `${INDEX}/search`, {}, 400, 'InvalidInput', 'text'],
  ['an empty text', 'POST', `${INDEX}/search`, { text: '' }, 400, 'InvalidInput', 'text'],
  ['a text and an id', 'POST', `${INDEX}/search`, { text: 'x', id: 'a' }, 400, 'InvalidInput', 'text'],
  ['an example that does not exist', 'POST', `${INDEX}/search`, { id: 'a' }, 404, 'ObjectNotFound'],
  ['an example without an id', 'POST', `${INDEX}/search`, { id: '' }, 400, 'InvalidInput', 'id'],
  [
    'an unknown hit field',
    'POST',
    `${INDEX}/search`,
    { text: 'x', fields: ['title'] },
    400,
    'InvalidInput',
    'fields.0',
  ],
  ['fields of a text', 'POST', `${INDEX}/search`, { text: 'x', fields: ['text.a'] }, 400, 'InvalidInput', 'fields.0'],
  [
    'a path with a gap',
    'POST',
    `${INDEX}/search`,
    { text: 'x', fields: ['payload..a'] },
    400,
    'InvalidInput',
    'fields.0',
  ],
  ['fields as a text', 'POST', `${INDEX}/search`, { text: 'x', fields: 'text' }, 400, 'InvalidInput', 'fields'],
  ['a page too far', 'POST', `${INDEX}/search`, { text: 'x', offset: 991 }, 400, 'InvalidInput', 'offset'],
  ['a page before the first', 'POST', `${INDEX}/search`, { text: 'x', offset: -1 }, 400, 'InvalidInput', 'offset'],
  ['an unknown group', 'POST', `${INDEX}/search`, { text: 'x', group: 'parts' }, 400, 'InvalidInput', 'group'],
  ['a score in words', 'POST', `${INDEX}/search`, { text: 'x', minScore: 'high' }, 400, 'InvalidInput', 'minScore'],
  ['a score beyond all', 'POST', `${INDEX}/search`, { text: 'x', minScore: 2 }, 400, 'InvalidInput', 'minScore'],
  ['no searches', 'POST', `${INDEX}/search/batch`, { searches: [] }, 400, 'InvalidInput', 'searches'],
  [
    'a bad one of two',
    'POST',
    `${INDEX}/search/batch`,
    { searches: [{ text: 'x' }, { text: '' }] },
    400,
    'InvalidInput',
    'searches.1.text',
  ],
  [
    'too many searches',
    'POST',
    `${INDEX}/search/batch`,
    { searches: new Array(65).fill({ text: 'x' }) },
    400,
    'InvalidInput',
    'searches',
  ],
  ['no index to search', 'POST', '/v1/search', { text: 'x', indexes: [] }, 400, 'InvalidInput', 'indexes'],
  ['an index twice', 'POST', '/v1/search', { text: 'x', indexes: ['books', 'books'] }, 400, 'InvalidInput', 'indexes'],
  [
    'a bad name of an index',
    'POST',
    '/v1/search',
    { text: 'x', indexes: ['books', 'B'] },
    400,
    'InvalidInput',
    'indexes.1',
  ],
  ['a vector for several', 'POST', '/v1/search', { vector: [1], indexes: ['books'] }, 400, 'InvalidInput', 'text'],
  ['a limit of none', 'POST', `${INDEX}/search`, { text: 'x', limit: 0 }, 400, 'InvalidInput', 'limit'],
  ['a limit too high', 'POST', `${INDEX}/search`, { text: 'x', limit: 1_001 }, 400, 'InvalidInput', 'limit'],
  ['a limit in words', 'POST', `${INDEX}/search`, { text: 'x', limit: '5' }, 400, 'InvalidInput', 'limit'],
  ['a filter that is a list', 'POST', `${INDEX}/search`, { text: 'x', filter: [] }, 400, 'InvalidInput', 'filter'],
  ['a filter with NUL', 'POST', `${INDEX}/search`, { text: 'x', filter: { a: '\0' } }, 400, 'InvalidInput', 'filter.a'],
  ['an unknown field', 'POST', `${INDEX}/search`, { text: 'x', lmit: 5 }, 400, 'InvalidInput', 'lmit'],
  ['a list as body', 'POST', `${INDEX}/search`, [], 400, 'InvalidInput', ''],
  ['null as body', 'POST', `${INDEX}/search`, 'null', 400, 'InvalidInput', ''],
  ['malformed JSON', 'POST', `${INDEX}/search`, '{"text": x}', 400, 'InvalidInput'],
  ['no JSON at all', 'POST', `${INDEX}/search`, '', 400, 'InvalidInput'],
  ['a name with capitals', 'PUT', '/v1/indexes/Books', HASH, 400, 'InvalidInput', 'path.index'],
  ['a name too long', 'PUT', `/v1/indexes/${LONG_NAME}`, HASH, 400, 'InvalidInput', 'path.index'],
  ['a name that begins with a mark', 'PUT', '/v1/indexes/-x', HASH, 400, 'InvalidInput', 'path.index'],
  ['a bad alias', 'PUT', '/v1/aliases/A%20B', { index: 'books' }, 400, 'InvalidInput', 'path.alias'],
  ['an alias to a bad name', 'PUT', '/v1/aliases/a', { index: 'B B' }, 400, 'InvalidInput', 'index'],
  ['an alias to nothing', 'PUT', '/v1/aliases/a', {}, 400, 'InvalidInput', 'index'],
  ['an unknown alias', 'DELETE', '/v1/aliases/nowhere', undefined, 404, 'AliasNotFound'],
  ['an id too long', 'GET', `${INDEX}/objects/${LONG}`, undefined, 400, 'InvalidInput', 'path.id'],
  ['an id with NUL', 'GET', `${INDEX}/objects/a%00b`, undefined, 400, 'InvalidInput', 'path.id'],
  ['an id that is no UTF-8', 'GET', `${INDEX}/objects/%ff`, undefined, 400, 'InvalidInput', 'path.id'],
  ['no model', 'PUT', '/v1/indexes/new', {}, 400, 'InvalidInput', 'model'],
  [
    'an unknown provider',
    'PUT',
    '/v1/indexes/new',
    { model: { provider: 'x' } },
    400,
    'InvalidInput',
    'model.provider',
  ],
  [
    'no dimensions',
    'PUT',
    '/v1/indexes/new',
    { model: { provider: 'openai', name: 'm' } },
    400,
    'InvalidInput',
    'model.dimensions',
  ],
  [
    'too many dimensions',
    'PUT',
    '/v1/indexes/new',
    { model: { provider: 'hash', dimensions: 16_001 } },
    400,
    'InvalidInput',
    'model.dimensions',
  ],
  ['an unknown metric', 'PUT', '/v1/indexes/new', { ...HASH, metric: 'dot' }, 400, 'InvalidInput', 'metric'],
  [
    'an overlap above half of the size',
    'PUT',
    '/v1/indexes/new',
    { ...HASH, splitter: { chunkSize: 100, chunkOverlap: 51 } },
    400,
    'InvalidInput',
    'splitter.chunkOverlap',
  ],
  ['another method', 'POST', INDEX, {}, 405, 'MethodNotAllowed'],
  ['another address', 'GET', '/v2/indexes', undefined, 404, 'NotFound'],
];

function expectProblem(answer: Answer, status: number, type: string): void {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({
    type: `urn:reembed:error:${type}`,
    status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: `urn:reembed:request:${answer.headers.get('x-request-id')}`,
  });
  expect(answer.status).toBe(status);
}

onBothDatabases((database) => {
  it.each(TABLE)(
    'answers %s with a problem that names the position',
    async (_, method, path, body, status, type, field) => {
      await makeIndex(database().db, 'books', HASH);
      const answer = await call(testApi(database().db), method, path, body);
      expectProblem(answer, status, type);
      expect(answer.body.issues?.[0].path).toBe(field);
    },
  );

  it.each(INJECTIONS)('treats %s as data wherever it appears', async (text) => {
    const app = testApi(database().db);
    await makeIndex(database().db, 'books', HASH);
    const encoded = encodeURIComponent(text);
    expectProblem(await call(app, 'PUT', `/v1/indexes/${encoded}`, HASH), 400, 'InvalidInput');
    expectProblem(await call(app, 'GET', `${INDEX}/objects/${encoded}`), 404, 'ObjectNotFound');
    const { status, body } = await call(app, 'POST', `${INDEX}/search`, { text, filter: { [text]: text } });
    expect([status, body.hits]).toEqual([200, []]);
    expect((await call(app, 'GET', INDEX)).status).toBe(200);
  });
});

describe('before any database', () => {
  const app = testApi(silentDatabase());

  it('reports where malformed JSON breaks, without quoting it', async () => {
    for (const [text, place] of [
      ['{"text": secret}', 'line 1 column 10'],
      ['{\n  "text": "a",\n}', 'line 3 column 1'],
      ['{"text": "a"', 'unexpected character at line 1 column 13'],
      ['{"text":', 'it ends too early'],
      ['  ', 'empty'],
    ]) {
      const { body } = await call(app, 'POST', `${INDEX}/search`, text);
      expect(body.detail).toContain(place);
      expect(body.detail).not.toContain('secret');
    }
  });

  it('requires the content type of JSON', async () => {
    for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/x-www-form-urlencoded' }]) {
      expectProblem(await call(app, 'POST', `${INDEX}/search`, '{"text":"x"}', headers), 415, 'UnsupportedMedia');
    }
  });

  it('reports a hundred of ten thousand mistakes', async () => {
    const { status, body } = await call(app, 'POST', `${INDEX}/search`, { vector: new Array(10_000).fill('x') });
    expect([status, body.issues.length]).toEqual([400, 100]);
  });

  it('refuses a body that is too large, with and without a declared length', async () => {
    const small = testApi(silentDatabase(), { settings: { bodyBytes: 1_000 } });
    const body = JSON.stringify({ text: 'x'.repeat(2_000) });
    expectProblem(await call(small, 'POST', `${INDEX}/search`, body), 413, 'TooLarge');
    const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const made = serve({ fetch: small.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made));
    });
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}${INDEX}/search`;
    const headers = { 'content-type': 'application/json' };
    for (const sent of [body, new Blob([body]).stream()]) {
      const response = await fetch(url, { method: 'POST', headers, body: sent, duplex: 'half' } as RequestInit);
      expect([response.status, ((await response.json()) as Problem).type]).toEqual([413, 'urn:reembed:error:TooLarge']);
    }
    await new Promise((resolve) => server.close(resolve));
  });

  it('answers 503 when the database is unavailable, without revealing its address', async () => {
    const answer = await call(app, 'GET', '/v1/aliases');
    expectProblem(answer, 503, 'DatabaseUnavailable');
    expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
  });
});
