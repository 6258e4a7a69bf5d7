import { expect, test } from 'vitest';
import { amountText, forecastOf, usedText } from '../../src/contract/budget.ts';

test('the forecast extrapolates from the objects that are copied', () => {
  expect(forecastOf(50, { done: 1_000, total: 4_000 })).toBe(200);
  expect(forecastOf(0.5, { done: 40, total: 40 })).toBe(0.5);
});

test('there is no forecast before enough is copied, without a price, or with more objects than known', () => {
  expect(forecastOf(50, { done: 999, total: 4_000 })).toBeNull();
  expect(forecastOf(50, { done: 0, total: 0 })).toBeNull();
  expect(forecastOf(null, { done: 40, total: 40 })).toBeNull();
  expect(forecastOf(50, { done: 41, total: 40 })).toBeNull();
});

test('amounts have separators, and money has its sign', () => {
  expect(amountText(1_200, 'tokens')).toBe('1,200');
  expect(amountText(0.5, 'usd')).toBe('$0.5');
  expect(usedText(1_200, 5_000, 'tokens')).toBe('1,200 of 5,000 tokens');
  expect(usedText(0.5, 2, 'usd')).toBe('$0.5 of $2');
});
