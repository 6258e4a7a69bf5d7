import { expect, it } from 'vitest';
import { paceText } from '../../src/contract/task-pace.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { waitsText } from '../../src/contract/waits.ts';
import { attemptsText } from '../../src/dashboard/task/attempts-text.ts';
import { ownDetail } from '../../src/dashboard/task/detail.ts';

const restarted: Tracker['steering'] = [{ time: '2026-01-31T12:00:00Z', call: 'restart', by: null }];

it.each<[number, number, Tracker['status'], Tracker['steering'], boolean, string]>([
  [0, 3, 'pending', [], false, 'none so far, at most 3'],
  [1, 3, 'failed', [], false, '1 so far, at most 3'],
  [2, 4, 'processing', restarted, false, '2 so far, at most 4, counting those before the restart'],
  [1, 3, 'done', [], true, 'done at the first'],
  [2, 4, 'done', restarted, true, 'done at number 2, counting those before the restart'],
  [3, 3, 'exhausted', [], true, '3 of at most 3'],
  [0, 3, 'canceled', [], true, 'none of at most 3'],
])(
  '%i attempts of %i of a task that is %s are told in words',
  (attempts, maxAttempts, status, steering, ended, text) => {
    expect(attemptsText({ attempts, maxAttempts, status, steering }, ended)).toBe(text);
  },
);

it('the detail of a task does not repeat why it is slow or waits, which a box says', () => {
  const slow = { reason: 'rate-limit', share: 0.9, until: null } as const;
  const pace = { ...slow, text: paceText(slow, 4) };
  expect(ownDetail({ detail: 'copying docs; throttled to 4/s', data: {}, pace })).toBe('copying docs');
  expect(ownDetail({ detail: 'copying docs', data: {}, pace })).toBe('copying docs');
  const waits = {
    activity: 'a',
    reason: 'ModelUnavailable',
    message: 'm',
    since: '2026-01-31T12:00:00Z',
    nextTry: null,
  };
  const detail = `copying docs; ${waitsText(waits)}`;
  expect(ownDetail({ detail, data: { waitsFor: waits }, pace: undefined })).toBe('copying docs');
  expect(ownDetail({ detail: waitsText(waits), data: { waitsFor: waits }, pace: undefined })).toBe('');
  expect(ownDetail({ detail, data: {}, pace: undefined })).toBe(detail);
});
