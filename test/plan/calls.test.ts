import { expect, test } from 'vitest';
import { planCalls } from '../../src/plan/calls.ts';

const given = {
  ...{ total: 1_000, copied: 1_000, concurrency: 4, batchSize: 256 },
  ...{ maxTexts: 128, maxChars: 1_000_000, meanWeight: 100 },
  copies: [[100]],
};

test('one slice is copied in four batches at once, each in calls as large as the model accepts', () => {
  expect(planCalls(given)).toMatchObject({ batches: 4, batchesAtOnce: 4, calls: 8, roundsPerBatch: 1 });
});

test('the characters of a call limit its texts, and a longer text goes alone', () => {
  expect(planCalls({ ...given, maxChars: 1_000 })).toMatchObject({ calls: 100, textsPerCall: 10 });
  expect(planCalls({ ...given, maxChars: 50 })).toMatchObject({ calls: 1_000, textsPerCall: 1 });
});

test('objects without texts are in batches, but in no call', () => {
  expect(planCalls({ ...given, copies: [[100], []] })).toMatchObject({ batches: 4, calls: 4 });
  expect(planCalls({ ...given, copies: [[]] })).toMatchObject({ batches: 4, calls: 0, charsPerCall: 0 });
});

test('large objects make small batches, since a read is limited', () => {
  const { batches, calls } = planCalls({ ...given, meanWeight: 1024 * 1024 });
  expect([batches, calls]).toEqual([250, 250]);
});

test('many slices run one beside the other', () => {
  const plan = planCalls({ ...given, total: 1_000_000, copied: 1_000_000, maxTexts: 256 });
  expect(plan.batchesAtOnce).toBe(4);
  // 40 slices of 25,000 objects.
  expect(plan).toMatchObject({ batches: 40 * 98, calls: 40 * 98 });
});

test('nothing to copy needs no batch', () => {
  expect(planCalls({ ...given, copied: 0, copies: [] })).toMatchObject({ batches: 0, calls: 0, batchesAtOnce: 1 });
});
