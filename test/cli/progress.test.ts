import { expect, test } from 'vitest';
import type { Io } from '../../src/cli/output.ts';
import { createProgress, durationText, progressLine } from '../../src/cli/progress.ts';
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

test('a task fits one line of a narrow terminal, in every state', () => {
  const running = trackerOf('copy', 250, { perSecond: 12.5, etaSeconds: 60, failed: 3 });
  expect(progressLine(running, 80)).toBe('copy      ███████░░░░░░░░░░░░░░░░░░░░░ 250/1000 13/s ETA 1m 0s 3 failed');
  const paused = { ...running, status: 'paused', detail: 'paused until it is resumed' } as const;
  expect(progressLine(paused, 80)).toBe(
    'paused    ███████░░░░░░░░░░░░░░░░░░░░░ 250/1000 3 failed paused until it is re…',
  );
  const none = { ...running.progress, done: 0, total: 0, failed: 0 };
  const waiting = {
    ...paused,
    status: 'waiting',
    progress: none,
    detail: 'deleted at 2026-12-01T10:00:00.123Z',
  } as const;
  expect(progressLine(waiting, 80)).toBe('waiting   deleted at 2026-12-01T10:00:00Z');
  for (const tracker of [running, paused, waiting]) {
    for (const columns of [20, 40, 80]) expect(progressLine(tracker, columns).length).toBeLessThan(columns);
  }
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
