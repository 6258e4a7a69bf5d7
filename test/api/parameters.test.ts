import { describe, expect, test } from 'vitest';
import { openApiDocument } from '../../src/api/document.ts';
import { silentDatabase, testApi } from './support.ts';

const app = testApi(silentDatabase());

interface Parameter {
  in: string;
  name: string;
  description?: string;
}

const operations = Object.entries(openApiDocument(app).paths ?? {}).flatMap(([path, item]) =>
  (['get', 'put', 'post', 'delete'] as const).flatMap((method) => {
    const operation = item[method];
    if (!operation) return [];
    const parameters = (operation.parameters ?? []) as Parameter[];
    return [{ method: method.toUpperCase(), path, query: parameters.filter((one) => one.in === 'query') }];
  }),
);

async function call(method: string, path: string) {
  const response = await app.request(`http://127.0.0.1${path}`, {
    method,
    headers: method === 'GET' ? {} : { 'content-type': 'application/json' },
    ...(method !== 'GET' && method !== 'DELETE' && { body: '{}' }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
  return { status: response.status, body: (await response.json().catch(() => undefined)) as any };
}

/** An address of the operation that is valid except for the tried parameter. */
const plain = (path: string) => path.replaceAll(/\{\w+\}/g, 'a');

/** Bodies are read before parameters, so the tries send empty objects. */
const junk: [what: string, text: string][] = [
  ['NUL', '%00'],
  ['NUL within', 'a%00b'],
  ['bytes that are not UTF-8', '%ff%fe'],
  ['half a surrogate pair', '%ed%a0%80'],
  ['an escape that is cut', 'a%2'],
  ['a very long text', 'x'.repeat(5_000)],
];

describe.each(operations)('$method $path', ({ method, path, query }) => {
  test('refuses an unknown parameter and suggests a similar one', async () => {
    const { status, body } = await call(method, `${plain(path)}?nonsense=1`);
    expect([status, body.issues?.map((issue: { path: string }) => issue.path)]).toEqual([400, ['query.nonsense']]);
    for (const { name } of query.filter((one) => one.name.length > 4 && !one.description?.startsWith('With NDJSON'))) {
      const typo = name.slice(0, -1);
      const near = await call(method, `${plain(path)}?${typo}=1`);
      if (query.some((one) => one.name === typo)) continue;
      expect([near.status, near.body.detail]).toEqual([400, expect.stringMatching(/did you mean \w+\?/)]);
    }
  });

  test.each(junk)('refuses %s in each parameter, by its name', async (_what, text) => {
    for (const { name } of query) {
      const { status, body } = await call(method, `${plain(path)}?${name}=${text}`);
      expect([name, status, body.issues?.[0]?.path]).toEqual([name, 400, `query.${name}`]);
    }
    for (const [whole, name] of path.matchAll(/\{(\w+)\}/g)) {
      const { status, body } = await call(method, plain(path.replace(whole, text)));
      expect([name, status]).toEqual([name, 400]);
      expect(body.issues[0].path).toBe(`path.${name}`);
    }
  });
});
