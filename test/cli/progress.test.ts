import { expect, test } from 'vitest';
import type { Io } from '../../src/cli/output.ts';
import { createProgress, durationText } from '../../src/cli/progress.ts';
import type { Tracker } from '../../src/contract/tasks.ts';

function trackerOf(phase: string, done: number, more: Partial<Tracker['progress']> = {}): Tracker {
  const progress = { done, total: 1_000, failed: 0, perSecond: 0, etaSeconds: null, ...more };
  return { status: 'processing', detail: `doing ${phase}`, data: { phase }, progress } as unknown as Tracker;
}

test('progress without a terminal has a line for each phase with count, pace and time left', () => {
  let err = '';
  const progress = createProgress({
    terminal: null,
    err: (text: string) => {
      err += text;
    },
  } as Io);
  progress.show(trackerOf('copy', 0));
  progress.show(trackerOf('copy', 500, { perSecond: 250 }));
  progress.show(trackerOf('index', 1_000, { perSecond: 8.25, etaSeconds: 125, failed: 2 }));
  progress.show({ ...trackerOf('index', 1_000), status: 'done', detail: 'all is\nwell' });
  const pace = { reason: 'rate-limit', text: 'throttled to 5/s', share: 0.9, until: null } as const;
  progress.show({ ...trackerOf('reconcile', 1_000, { perSecond: 5 }), pace });
  progress.end();
  expect(err.split('\n')).toEqual([
    'copy: 0/1000, doing copy',
    'index: 1000/1000 8.3/s ETA 2m 5s 2 failed, doing index',
    'done: 1000/1000, all is well',
    'reconcile: 1000/1000 5.0/s throttled, doing reconcile',
    '',
  ]);
});

test('durations have their two largest units', () => {
  expect([0.4, 59, 61, 3_599, 3_600, 90_061].map(durationText)).toEqual([
    '0s',
    '59s',
    '1m 1s',
    '59m 59s',
    '1h 0m',
    '25h 1m',
  ]);
});
