import { expect, test } from 'vitest';
import { bytesText, consoleTable, countText, secondsText } from '../../../bench/costs/text.ts';

test.each([
  [bytesText(0), '0 bytes'],
  [bytesText(1_690), '1.69 kB'],
  [bytesText(4.08e12), '4.08 TB'],
  [bytesText(4.08e15), '4,080 TB'],
  [countText(85_400), '85,400'],
  [countText(1_000_000_000), '1 billion'],
  [countText(2.5e12), '2.5 trillion'],
  [countText(Number.POSITIVE_INFINITY), 'none'],
  [secondsText(0.0123), '12.3 ms'],
  [secondsText(90), '90 s'],
  [secondsText(600), '10 minutes'],
  [secondsText(86_400), '24 hours'],
  [secondsText(864_000), '10 days'],
])('a value reads %s', (text, expected) => {
  expect(text).toBe(expected);
});

test('the columns of a table on a console are aligned', () => {
  const rows = [
    ['disk', '4 TB'],
    ['memory', '1 GB'],
  ];
  expect(consoleTable({ head: ['', 'at 1'], rows })).toBe('        at 1\ndisk    4 TB\nmemory  1 GB');
});
