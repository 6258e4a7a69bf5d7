import { expect, it } from 'vitest';
import type { IndexInfo } from '../../src/contract/indexes.ts';
import { paceText } from '../../src/contract/task-pace.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { waitsText } from '../../src/contract/waits.ts';
import { nextText } from '../../src/dashboard/reindex/stage.ts';
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

it('an old release does not say that its index serves when a newer one does', () => {
  const tracker = { status: 'done', data: { alias: 'docs' } } as unknown as Tracker;
  const indexes = ['docs-v1', 'docs-v2', 'docs-v3'].map((name) => ({ name, aliases: [] as string[] }));
  const textWith = (serving: number) => {
    const now = indexes.map((index, at) => ({
      ...index,
      aliases: at === serving ? ['docs'] : [],
    })) as unknown as IndexInfo[];
    return nextText(tracker, 'switched', { source: 'docs-v1', dest: 'docs-v2' }, now);
  };
  expect(textWith(2)).toBe('docs-v3 serves as docs by now. Neither docs-v1 nor docs-v2 does.');
  expect(textWith(1)).toContain('docs-v2 serves as docs. Roll back');
  expect(textWith(0)).toContain('Rolled back: docs-v1 serves.');
});
