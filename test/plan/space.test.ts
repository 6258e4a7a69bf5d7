import { expect, test } from 'vitest';
import type { ModelConfig } from '../../src/contract/models.ts';
import { type SpaceInput, spaceOf } from '../../src/plan/space.ts';

const model = (dimensions: number): ModelConfig => ({ provider: 'hash', name: 'hash-v1', dimensions });

const input = (dimensions: number, over: Partial<SpaceInput> = {}): SpaceInput => ({
  source: { model: model(256) },
  config: { model: model(dimensions), average: false },
  sizes: { objects: 40_000_000, parts: 115_000_000, keys: 6_000_000, hnsw: 130_000_000 },
  sourceParts: 100_000,
  objects: 100_000,
  destVectors: 100_000,
  existing: null,
  indexMemoryMb: 256,
  ...over,
});

test('longer vectors need more bytes, in the table and in the HNSW index', () => {
  const [small, large] = [spaceOf(input(256)), spaceOf(input(384))];
  const more = (large.disk.dest.value ?? 0) - (small.disk.dest.value ?? 0);
  const vectors = 100_000 * 4 * (384 - 256);
  expect(more).toBeGreaterThan(1.8 * vectors);
  expect(more).toBeLessThan(2.6 * vectors);
});

test.each([
  [1_024, 5_528],
  [1_536, 8_285],
  [3_000, 13_827],
])('a vector of %i dimensions takes the %i bytes that Postgres needs for its pieces', (dimensions, measured) => {
  const kept = (dest: number) => spaceOf(input(dest, { destVectors: 0 })).disk.dest.value ?? 0;
  const all = spaceOf(input(dimensions)).disk.dest.value ?? 0;
  // Without the row, its key, and the page of the HNSW index that each of these vectors fills.
  const table = (all - kept(dimensions)) / 100_000 - 178 - 8_192;
  expect(table).toBeGreaterThan(measured * 0.95);
  expect(table).toBeLessThan(measured * 1.05);
});

test('half precision is for the HNSW index only', () => {
  const { hnsw, disk } = spaceOf(input(3_000));
  expect(hnsw).toMatchObject({ kind: 'hnsw', precision: 'half', dimensions: 3_000 });
  // The table holds them in full.
  expect(disk.dest.value).toBeGreaterThan(100_000 * (4 + 2) * 3_000);
  expect(hnsw.memory.value).toBeGreaterThan(100_000 * 2 * 3_000);
  expect(hnsw.memory.value).toBeLessThan(100_000 * 4 * 3_000);
});

test('vectors that pgvector cannot index have no HNSW index', () => {
  const { hnsw } = spaceOf(input(5_000));
  expect(hnsw).toMatchObject({ kind: 'none', fits: null, memory: { value: 0 } });
});

test('a graph that is larger than the memory of the build does not fit', () => {
  expect(spaceOf(input(256)).hnsw.fits).toBe(true);
  expect(spaceOf(input(256, { indexMemoryMb: 64 })).hnsw).toMatchObject({ fits: false, allowed: 64 * 1024 * 1024 });
});

test('a destination that exists is not counted twice', () => {
  const existing = { objects: 4e9, parts: 0, keys: 0, hnsw: 0 };
  const { disk } = spaceOf(input(256, { existing }));
  expect(disk.dest.value).toBe(4e9);
  expect(disk.together.value).toBe(4e9 + 291_000_000);
});
