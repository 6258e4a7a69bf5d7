import { expect, test } from 'vitest';
import { constantsOf, forecast } from '../../../bench/costs/forecast.ts';
import { measuredWith } from './builders.ts';

const TERMS = { tokensPerMinute: 6_000, usdPerMillionTokens: 2, usdPerMillionActions: 50 };

test('the disk of an index is that of all its tables and indexes, twice while it is rebuilt', () => {
  const measured = measuredWith({
    ...{ objectsTable: 300, objectsToast: 10, objectsIndexes: 90 },
    ...{ partsTable: 1_600, partsToast: 20, partsIndexes: 60, hnsw: 2_000 },
  });
  const { disk, diskWhileRebuilt } = forecast(constantsOf(measured), 1_000_000, TERMS);
  expect(disk / 1e9).toBeCloseTo(4.08, 6);
  expect(diskWhileRebuilt / disk).toBe(2);
});

test('the WAL of a reindex is that of the copy and of the build', () => {
  const constants = constantsOf(measuredWith({ copyWal: 3_000, buildWal: 2_000, writeWal: 900 }));
  const { reindexWal, writeWal } = forecast(constants, 100_000_000, TERMS);
  expect(reindexWal / 1e9).toBeCloseTo(500, 6);
  expect(writeWal / 1e9).toBeCloseTo(90, 6);
});

test('the time and the money for a model follow from its tokens', () => {
  const constants = constantsOf(measuredWith({ tokens: 20 }));
  const { tokens, embedSeconds, tokensUsd } = forecast(constants, 1_000_000, TERMS);
  expect(tokens).toBeCloseTo(20e6, 3);
  expect(embedSeconds).toBeCloseTo(200_000, 3);
  expect(tokensUsd).toBeCloseTo(40, 6);
});

test('heartbeats grow with the time of a reindex, also with that which its model needs', () => {
  // A heartbeat for each ten seconds.
  const rates = { reindexHeartbeats: 0.001, reindexSeconds: 0.01, reindexActions: 0.0005 };
  const fast = forecast(constantsOf(measuredWith({ ...rates, copySeconds: 0.002 })), 1_000_000, TERMS);
  expect(fast.reindexActions).toBeCloseTo(500 + 200, 3);
  const slow = forecast(constantsOf(measuredWith({ ...rates, copySeconds: 0.002, tokens: 20 })), 1_000_000, TERMS);
  expect(slow.reindexActions).toBeCloseTo(500 + 20_000, 3);
});

test('writes in tasks of 10,000 objects cost the actions of one task for each 10,000 objects', () => {
  const measured = measuredWith({ writeActions: 0.002 }, { actions: 3 });
  const constants = constantsOf(measured);
  expect(forecast(constants, 25_000, TERMS).bulkActions).toBeCloseTo(50, 6);
  const { singleActions, singleActionsUsd } = forecast(constants, 1_000_000, TERMS);
  expect([singleActions, singleActionsUsd]).toEqual([3_000_000, 150]);
});

test('a quantity whose fit is below zero at a size takes nothing there', () => {
  const measured = measuredWith({ hnsw: 10 }).map((one) => ({ ...one, figures: { ...one.figures } }));
  for (const { figures } of measured) figures.hnsw -= 15_000;
  expect(forecast(constantsOf(measured), 1_000, TERMS).disk).toBe(0);
});
