import { expect, test } from 'vitest';
import { isStepWaits, type StepWaits } from '../../../src/contract/task-pace.ts';
import { PaceWindow } from '../../../src/workflows/task/pace-window.ts';

/** A step of ten seconds, of which it waited the given milliseconds. */
const step = (waits: Partial<StepWaits>): StepWaits => {
  return { ranMs: 10_000, liveMs: 0, rateMs: 0, modelMs: 0, workerMs: 0, ...waits };
};
const paceOf = (window: PaceWindow, rate?: number) => window.pace(undefined, rate);

test.each([
  [
    { liveMs: 6_000 },
    { reason: 'live-work', share: 0.6, text: 'yields to searches and writes, 60 % of the last minute' },
  ],
  [{ rateMs: 9_000 }, { reason: 'rate-limit', share: 0.9, text: 'throttled to 50/s' }],
  [{ modelMs: 3_000 }, { reason: 'model-limit', share: 0.3, text: 'limit of the model, 30 % of the last minute' }],
  [{ workerMs: 10_000 }, { reason: 'worker', share: 0.5, text: 'waits for a worker, 50 % of the last minute' }],
  [{ liveMs: 2_000, rateMs: 5_000 }, { reason: 'rate-limit' }],
  [{ liveMs: 900, workerMs: 20 }, null],
])('a step that waited %j is slowed by %j', (waits, expected) => {
  const window = new PaceWindow();
  window.add(step(waits), 0);
  if (expected === null) expect(paceOf(window, 50)).toBeNull();
  else expect(paceOf(window, 50)).toMatchObject({ ...expected, until: null });
});

test('the share is that of all steps of the last minute, whatever was before', () => {
  const window = new PaceWindow();
  for (let atMs = 0; atMs < 600_000; atMs += 1_000) window.add(step({ rateMs: 10_000 }), atMs);
  expect(paceOf(window)).toMatchObject({ reason: 'rate-limit', share: 1 });
  window.add(step({ liveMs: 5_000 }), 700_000);
  window.add(step({}), 710_000);
  expect(paceOf(window)).toMatchObject({ reason: 'live-work', share: 0.25 });
  window.clear();
  expect(paceOf(window)).toBeNull();
});

test('what a task stands still for goes before what slows it, and a wait for the model before both', () => {
  const window = new PaceWindow();
  window.add(step({ liveMs: 6_000 }), 0);
  const until = '2026-03-01T12:04:00.000Z';
  window.stand({ reason: 'batches', until });
  expect(paceOf(window)).toMatchObject({ reason: 'batches', share: null, until });
  const waits = { activity: 'copySlice', message: 'asks', since: until, nextTry: until };
  expect(window.pace({ ...waits, reason: 'ModelRateLimited' }, null)).toEqual({
    reason: 'model-limit',
    share: null,
    until,
    text: `limit of the model, which asks to wait until ${until}`,
  });
  expect(window.pace({ ...waits, reason: 'ModelUnavailable' }, null)).toMatchObject({ reason: 'model' });
  window.stand(null);
  expect(paceOf(window)).toMatchObject({ reason: 'live-work' });
});

test('a signal of a tool without proper waits is not taken for a step', () => {
  expect([step({}), null, 1, {}, { ...step({}), liveMs: -1 }, { ...step({}), ranMs: 'x' }].map(isStepWaits)).toEqual([
    true,
    ...Array<boolean>(5).fill(false),
  ]);
});
