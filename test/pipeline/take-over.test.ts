import { expect, test } from 'vitest';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import { isSameModel, mayTakeOver } from '../../src/pipeline/take-over.ts';
import { textKeysOf } from '../../src/pipeline/text-key.ts';

const BASE = { provider: 'openai', name: 'bge-m3', dimensions: 1_024, baseUrl: 'http://localhost:1/v1' } as const;

const withModel = (change: Record<string, unknown> = {}) => indexConfigSchema.parse({ model: { ...BASE, ...change } });

test.each([
  ['another name', { name: 'e5' }],
  ['another number of dimensions', { dimensions: 512 }],
  ['another address', { baseUrl: 'http://localhost:2/v1' }],
  ['a prefix of documents', { documentPrefix: 'passage: ' }],
])('vectors are not taken over from a model with %s, and have other keys', (_what, change) => {
  const [left, right] = [withModel(), withModel(change)];
  expect(mayTakeOver(left, right)).toBe(false);
  expect(textKeysOf(left.model)('text')).not.toBe(textKeysOf(right.model)('text'));
});

test.each([
  ['limits', { batchSize: 7, timeoutMs: 1_000 }],
  ['prefix of queries', { queryPrefix: 'query: ' }],
])('vectors are taken over whatever the %s, and have the same keys', (_what, change) => {
  const [left, right] = [withModel(), withModel(change)];
  expect(mayTakeOver(left, right)).toBe(true);
  expect(isSameModel(left, right)).toBe(false);
  expect(textKeysOf(left.model)('text')).toBe(textKeysOf(right.model)('text'));
});

test('the key of a text is a UUID, and differs for each text', () => {
  const keyOf = textKeysOf(withModel().model);
  expect(keyOf('text')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(keyOf('text')).not.toBe(keyOf('Text'));
});
