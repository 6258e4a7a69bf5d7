import { expect, test } from 'vitest';
import { judge, limit } from '../../src/cli/fail-above.ts';
import type { ReindexPlan } from '../../src/contract/plan.ts';

const figure = (value: number | null) => ({ value, basis: value === null ? null : 'exact', from: 'nobody knows' });
const plan = {
  usd: figure(20.5),
  tokens: figure(1_000),
  calls: figure(null),
  seconds: { total: figure(7_200) },
} as unknown as ReindexPlan;

const outcomeOf = (text: string) => judge(plan, limit(text)).map(({ outcome }) => outcome);

test.each([
  ['20usd', 'above'],
  ['20.5usd', 'ok'],
  ['21 usd', 'ok'],
  ['999tokens', 'above'],
  ['1000tokens', 'ok'],
  ['119m', 'above'],
  ['2h', 'ok'],
  ['7200s', 'ok'],
  ['1d', 'ok'],
  ['1calls', 'unknown'],
])('a forecast against %s is %s', (text, outcome) => {
  expect(outcomeOf(text)).toEqual([outcome]);
});

test('an unknown figure says why', () => {
  expect(judge(plan, limit('1calls'))[0]?.text).toBe('cannot be compared with 1calls: nobody knows');
});

test('several limits are all judged', () => {
  expect(judge(plan, limit('2h', limit('20usd'))).map(({ outcome }) => outcome)).toEqual(['above', 'ok']);
});

test.each(['20', 'usd', '-1usd', '20eur', '2 hours', '', '1e9tokens'])('%j is no limit', (text) => {
  expect(() => limit(text)).toThrow('It must be a limit such as 20usd');
});
