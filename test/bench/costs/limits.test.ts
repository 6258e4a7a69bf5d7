import { expect, test } from 'vitest';
import { SHAPES } from '../../../bench/costs/fit.ts';
import { constantsOf } from '../../../bench/costs/forecast.ts';
import { type Deployment, limitsOf } from '../../../bench/costs/limits.ts';
import { measuredWith, type Rates } from './builders.ts';

const DEPLOYMENT: Deployment = {
  ...{ tokensPerMinute: 1_000, usdPerMillionTokens: 1, usdPerMillionActions: 50 },
  ...{ indexMemoryMb: 256, serverMemoryGb: 64, diskTb: 2 },
};

function partsWithin(what: RegExp, rates: Rates, actions = 0): number {
  const limits = limitsOf(constantsOf(measuredWith(rates, { actions })), DEPLOYMENT);
  return limits.find((limit) => what.test(limit.what))?.parts ?? Number.NaN;
}

test.each<[string, RegExp, Rates, number]>([
  ['the memory of a build', /memory of a build/, { buildMemory: 2_048 }, (256 * 2 ** 20) / 2_048],
  ['the memory of the server', /memory of the server/, { buildMemory: 2_048 }, (64 * 2 ** 30) / 2_048],
  ['the quota of the model', /within a day/, { tokens: 20 }, 72_000],
  ['the time of the comparison', /comparison/, { verifySeconds: 0.0001 }, 36_000_000],
  ['the time of the plan', /plan of the slices/, { planSeconds: 0.000_01 }, 60_000_000],
  ['the disk', /disk/, { partsTable: 1_024, hnsw: 1_024 }, 2 ** 29],
  ['the size of a table', /limit of Postgres/, { partsTable: 4_096, hnsw: 1_024 }, 2 ** 33],
])('%s bounds the parts', (_what, title, rates, parts) => {
  // Rounding of the fit may move it by a few of them.
  expect(partsWithin(title, rates) / parts).toBeCloseTo(1, 6);
});

test('the time of the build bounds the parts by the steps that they take', () => {
  const parts = partsWithin(/build ends/, { buildSeconds: 1e-6 });
  expect((1e-6 * SHAPES.build(parts)) / 86_400).toBeCloseTo(1, 6);
});

test('a task per object is bound by what its actions cost', () => {
  expect(partsWithin(/task of its own/, {}, 4)).toBe(5_000_000);
});

test('the limit that is reached first is in front', () => {
  const limits = limitsOf(constantsOf(measuredWith({ buildMemory: 2_048, tokens: 20 }, { actions: 3 })), DEPLOYMENT);
  const parts = limits.map((limit) => limit.parts);
  expect(parts).toEqual([...parts].sort((one, other) => one - other));
  expect(limits[0]?.what).toMatch(/within a day/);
});
