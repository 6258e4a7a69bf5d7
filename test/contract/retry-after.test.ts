import { expect, test } from 'vitest';
import { readRetryAfterMs } from '../../src/contract/retry-after.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');

test.each([
  ['seconds', { 'retry-after': '30' }, 30_000],
  ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:01:30 GMT' }, 90_000],
  ['a date that has passed, which is half a second', { 'retry-after': 'Thu, 01 Jan 2020 00:00:00 GMT' }, 500],
  ['milliseconds before seconds', { 'retry-after-ms': '750', 'retry-after': '1' }, 750],
  ['0, which is half a second', { 'retry-after': '0' }, 500],
  ['more than five minutes, which is five', { 'retry-after': '3000000' }, 300_000],
  ['a negative number, which is nothing', { 'retry-after': '-5' }, undefined],
  ['nothing readable', { 'retry-after': 'soon' }, undefined],
  ['no header', {}, undefined],
  [
    'the limit that ran out',
    {
      'x-ratelimit-remaining-requests': '5',
      'x-ratelimit-reset-requests': '1h0m0s',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '1m1.5s',
    },
    61_500,
  ],
] satisfies [string, Record<string, string>, number | undefined][])(
  'the wait is read from %s',
  (_, headers, waitMs) => {
    expect(readRetryAfterMs(headers, NOW)).toBe(waitMs);
  },
);
