import { expect, test } from 'vitest';
import type { AskedIndexBuild } from '../../src/contract/index-build.ts';
import type { Probe } from '../../src/plan/probe.ts';
import { type TimeInput, timeOf } from '../../src/plan/time.ts';

const MB = 1024 * 1024;
const OBJECTS = 100_000;

/** A model that answers this many texts per second, with one call at a time. */
function inputOf(textsPerSecond: number, indexBuild: AskedIndexBuild = 'after'): TimeInput {
  const texts = 100;
  const probe = { callMs: () => (1_000 * texts) / textsPerSecond, speedup: () => 1 } as unknown as Probe;
  const calls = OBJECTS / texts;
  return {
    ...{ copied: OBJECTS, embedded: OBJECTS, parts: OBJECTS, destVectors: OBJECTS, dimensions: 384 },
    ...{ limitTokens: 0, prepareMs: 0.01, payloadBytes: 100, distanceMicroseconds: 0.15 },
    calls: {
      ...{ calls, batches: calls, batchesAtOnce: 4, roundsPerBatch: 1, textsPerCall: texts, charsPerCall: 10_000 },
    } as TimeInput['calls'],
    probe,
    ...{ limit: undefined, ratePerSecond: undefined, indexBuild, batchApi: false },
    hnsw: {
      ...{ kind: 'hnsw', precision: 'full', dimensions: 384, m: 16, efConstruction: 64 },
      memory: { value: 200 * MB, basis: 'estimated', from: '' },
      ...{ allowed: 256 * MB, fits: true },
    },
  };
}

test('an index that grows with the copy costs nothing with a slow model, and the plan says so', () => {
  const { indexBuild, seconds } = timeOf(inputOf(100));
  expect(indexBuild).toMatchObject({ asked: 'after', faster: 'during', why: expect.stringContaining('fit into') });
  const during = timeOf(inputOf(100, 'during')).seconds;
  expect(during.copy.value).toBe(seconds.copy.value);
  expect(during.build.value).toBe(0);
  expect(during.total.value).toBeLessThan(seconds.total.value ?? 0);
});

test('a build after the copy is faster with a fast model', () => {
  const { indexBuild } = timeOf(inputOf(1_000_000));
  expect(indexBuild).toMatchObject({ faster: 'after', why: expect.stringContaining('longer than the copy') });
  const during = timeOf(inputOf(1_000_000, 'during')).seconds;
  expect(during).toMatchObject({ copy: { value: indexBuild.inserts.value }, boundBy: 'database' });
});

test('what is faster is unknown without a call of the model, or without an HNSW index', () => {
  expect(timeOf({ ...inputOf(100), probe: null }).indexBuild.faster).toBeNull();
  const hnsw = { ...inputOf(100).hnsw, kind: 'none' as const };
  expect(timeOf({ ...inputOf(100), hnsw }).indexBuild).toMatchObject({ faster: null, why: 'there is no HNSW index' });
});

test('a build that does not fit into its memory makes the growing index the faster one', () => {
  const input = inputOf(3_000);
  const hnsw = { ...input.hnsw, allowed: 20 * MB, fits: false };
  const fitting = timeOf(input).seconds.build.value ?? 0;
  expect(timeOf({ ...input, hnsw }).seconds.build.value).toBeGreaterThan(2 * fitting);
  expect(timeOf({ ...input, hnsw }).indexBuild.faster).not.toBe('after');
});

test('with auto, the forecast is that of the way that the probed speed makes the fastest', () => {
  for (const [speed, chosen] of [
    [100, 'during'],
    [1_000_000, 'after'],
  ] as const) {
    const { indexBuild, seconds } = timeOf(inputOf(speed, 'auto'));
    expect(indexBuild).toMatchObject({ asked: 'auto', chosen, faster: chosen });
    expect(seconds).toEqual(timeOf(inputOf(speed, chosen)).seconds);
  }
});

test('with auto and a fast model, a build that does not fit into its memory is split', () => {
  const input = inputOf(1_000_000, 'auto');
  const hnsw = { ...input.hnsw, allowed: 100 * MB, fits: false };
  const { indexBuild, seconds } = timeOf({ ...input, hnsw });
  expect(indexBuild).toMatchObject({ chosen: 'split', why: expect.stringContaining('50 % of the objects fits') });
  expect((seconds.copy.value ?? 0) + (seconds.build.value ?? 0)).toBeCloseTo(indexBuild.forecast?.split ?? 0, 0);
});

test('auto chooses nothing without a call of the model, but for a small index or batches of the provider', () => {
  const unknown = { ...inputOf(100, 'auto'), probe: null };
  expect(timeOf(unknown).indexBuild).toMatchObject({ chosen: null, forecast: null });
  expect(timeOf({ ...unknown, destVectors: 1_000 }).indexBuild.chosen).toBe('after');
  expect(timeOf({ ...unknown, batchApi: true }).indexBuild.chosen).toBe('during');
});
