import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { IndexConfigInput } from '../../src/contract/indexes.ts';
import type { Payload } from '../../src/contract/objects.ts';
import { contentHasher, haveSameText } from '../../src/pipeline/content-hash.ts';
import { indexConfig } from './support.ts';

const openai = { provider: 'openai', name: 'm', dimensions: 3 } as const;
const base = { model: openai } satisfies IndexConfigInput;
const hashOf = (config: IndexConfigInput, payload: Payload = 'text') => contentHasher(indexConfig(config))(payload);

test('the hash is the same for every order of keys', async () => {
  expect(await hashOf(base, { a: 1, b: { c: [1, { x: 1, y: 2 }], d: 'x' } })).toBe(
    await hashOf(base, { b: { d: 'x', c: [1, { y: 2, x: 1 }] }, a: 1 }),
  );
  expect(await hashOf(base)).toMatch(/^[\w-]{43}\.[\w-]{43}$/);
});

test('every payload has its own hash', async () => {
  const payloads: Payload[] = [
    'a',
    '["a"]',
    ['a'],
    { a: 1 },
    { a: '1' },
    { a: null },
    {},
    [],
    '',
    ['a', 'b'],
    ['a,b'],
    ['b', 'a'],
  ];
  expect(new Set(await Promise.all(payloads.map((payload) => hashOf(base, payload)))).size).toBe(payloads.length);
});

test.each<[string, Partial<IndexConfigInput>]>([
  ['the name', { model: { ...openai, name: 'n' } }],
  ['the dimensions', { model: { ...openai, dimensions: 4 } }],
  ['the provider', { model: { provider: 'custom', name: 'm', dimensions: 3 } }],
  ['the endpoint', { model: { ...openai, baseUrl: 'http://localhost/v1' } }],
  ['the prefix of documents', { model: { ...openai, documentPrefix: 'passage: ' } }],
  ['shortened vectors', { model: { ...openai, sendDimensions: true } }],
  ['the size of parts', { splitter: { chunkSize: 500 } }],
  ['the overlap', { splitter: { chunkOverlap: 20 } }],
  ['the fields', { splitter: { fields: ['title'] } }],
  ['an average', { average: true }],
])('%s changes the hash', async (_name, change) => {
  expect(await hashOf({ ...base, ...change })).not.toBe(await hashOf(base));
});

test.each<[string, Partial<IndexConfigInput>]>([
  ['the key', { model: { ...openai, apiKeyEnv: 'KEY' } }],
  ['batch sizes', { model: { ...openai, batchSize: 1, batchChars: 1_000 } }],
  ['the time limit', { model: { ...openai, timeoutMs: 5_000 } }],
  ['the prefix of queries', { model: { ...openai, queryPrefix: 'query: ' } }],
  ['versioning', { versioning: 'external' }],
  ['the metric, without an average', { metric: 'l2' }],
  ['full text', { fullText: { language: 'english' } }],
])('%s does not change the hash', async (_name, change) => {
  expect(await hashOf({ ...base, ...change })).toBe(await hashOf(base));
});

test('the metric changes the hash where it changes the average', async () => {
  expect(await hashOf({ ...base, average: true, metric: 'l2' })).not.toBe(await hashOf({ ...base, average: true }));
  expect(await hashOf({ ...base, average: true, metric: 'l2' })).toBe(
    await hashOf({ ...base, average: true, metric: 'ip' }),
  );
});

test.each<[string, IndexConfigInput, Payload, Payload, boolean]>([
  [
    'a field that is not embedded',
    { ...base, splitter: { fields: ['title'] } },
    { title: 'a', n: 1 },
    { title: 'a', n: 2 },
    true,
  ],
  ['a number', base, { title: 'a', n: 1 }, { title: 'a', n: 2 }, true],
  ['a key', base, { a: 'x' }, { b: 'x' }, true],
  ['the kind of payload', base, 'x', ['x'], true],
  ['a field that is embedded', { ...base, splitter: { fields: ['title'] } }, { title: 'a' }, { title: 'b' }, false],
  ['any text', base, { title: 'a', more: 'x' }, { title: 'a', more: 'y' }, false],
])('two payloads that differ in %s', async (_name, config, left, right, same) => {
  const [one, other] = [await hashOf(config, left), await hashOf(config, right)];
  expect(one).not.toBe(other);
  expect(haveSameText(one, other)).toBe(same);
  expect(haveSameText(one, one)).toBe(true);
});

test('a hash of another format never counts as equal', async () => {
  const short = (await hashOf(base)).slice(0, 43);
  expect(haveSameText(short, short)).toBe(false);
  expect(haveSameText('', await hashOf(base))).toBe(false);
});

test('a large payload, which is hashed in pieces, has the hash of its whole JSON', async () => {
  const payload = `${'a "quoted" word 🦁 '.repeat(20_000)}\ud800`;
  const sha = createHash('sha256').update(JSON.stringify(payload)).digest('base64url');
  expect((await hashOf(base, payload)).split('.')[1]).toBe(sha);
});

test('the language changes the hash where the metadata names it', async () => {
  const hashIn = (config: IndexConfigInput, lang: string) =>
    contentHasher(indexConfig(config))('text', { metadata: { lang } });
  const named = { ...base, fullText: { languageField: 'lang' } };
  expect(await hashIn(named, 'de')).not.toBe(await hashIn(named, 'en'));
  expect(await hashIn(named, 'de')).toBe(await hashIn(named, 'german'));
  expect(await hashIn(base, 'de')).toBe(await hashIn(base, 'en'));
});
