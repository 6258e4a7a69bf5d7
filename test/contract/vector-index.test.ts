import { expect, test } from 'vitest';
import { indexConfigSchema } from '../../src/contract/indexes.ts';
import { resolveVectorIndex } from '../../src/contract/vector-index.ts';

const configWith = (dimensions: number, settings: object = {}) =>
  indexConfigSchema.safeParse({ model: { provider: 'hash', dimensions }, ...settings });

test.each([
  [2_000, {}, 'full'],
  [2_001, {}, 'half'],
  [300, { storage: 'halfvec' }, 'half'],
  [4_001, {}, undefined],
  [4_001, { vectorIndex: { dimensions: 2_000 } }, 'full'],
  [4_001, { vectorIndex: { dimensions: 3_000 } }, 'half'],
  [16_000, { vectorIndex: { precision: 'bit' } }, 'bit'],
] as const)('%i dimensions with %o are indexed in the precision %s', (dimensions, settings, precision) => {
  const resolved = resolveVectorIndex(configWith(dimensions, settings).data as never);
  expect(resolved).toMatchObject(precision ? { kind: 'hnsw', precision, m: 16, efConstruction: 64 } : { kind: 'none' });
});

test.each([
  [8, { vectorIndex: { dimensions: 9 } }, 'vectorIndex.dimensions', 'must be at most 8'],
  [2_001, { vectorIndex: { precision: 'full' } }, 'vectorIndex.precision', 'use half or bit, or fewer dimensions'],
  [4_001, { vectorIndex: { precision: 'half' } }, 'vectorIndex.precision', 'use bit, or fewer dimensions'],
  [8, { storage: 'halfvec', vectorIndex: { precision: 'full' } }, 'vectorIndex.precision', 'must be half or bit'],
  [8, { vectorIndex: { m: 40 } }, 'vectorIndex.efConstruction', 'must be at least twice m'],
  [8, { vectorIndex: { efConstruction: 30 } }, 'vectorIndex.efConstruction', 'must be at least twice m'],
  [8, { vectorIndex: { kind: 'none', m: 16 } }, 'vectorIndex.m', 'only for kind hnsw'],
  [8, { vectorIndex: { kind: 'none', efConstruction: 64 } }, 'vectorIndex.efConstruction', 'only for kind hnsw'],
  [8, { vectorIndex: { kind: 'none', precision: 'half' } }, 'vectorIndex.precision', 'only for kind hnsw'],
  [8, { vectorIndex: { kind: 'none', dimensions: 4 } }, 'vectorIndex.dimensions', 'only for kind hnsw'],
  [8, { vectorIndex: { m: 101 } }, 'vectorIndex.m', '100'],
  [8, { storage: 'float16' }, 'storage', 'halfvec'],
] as const)('%i dimensions with %o are refused at %s: %s', (dimensions, settings, path, message) => {
  const { error } = configWith(dimensions, settings);
  const issue = error?.issues.find((one) => one.path.join('.') === path);
  expect(issue?.message).toContain(message);
});

test('an index without HNSW index passes the check again, as it comes out of it', () => {
  const checked = configWith(8, { vectorIndex: { kind: 'none' } }).data;
  expect(checked?.vectorIndex).toEqual({ kind: 'none' });
  expect(indexConfigSchema.safeParse(checked).success).toBe(true);
});
