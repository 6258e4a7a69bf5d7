import { expect, test } from 'vitest';
import { batchPriceShareOf, priceOf, requireBatches } from '../../src/models/prices.ts';

test.each([
  ['openai', 'text-embedding-3-small', 0.02],
  ['openai', 'openai/text-embedding-3-large', 0.13],
  ['openai', 'embed-v4.0', 0.12],
  ['openai', 'voyage-3.5', 0.06],
])('the list price of %s/%s is known', (provider, name, usdPerMillionTokens) => {
  expect(priceOf({ provider, name })).toEqual({ usdPerMillionTokens });
});

test('a built-in model costs nothing', () => {
  expect(priceOf({ provider: 'hash', name: 'hash-v1' })).toEqual({ usdPerMillionTokens: 0 });
});

test.each([
  ['openai', 'bge-m3'],
  ['custom', 'text-embedding-3-small'],
  ['openai', 'constructor'],
])('the price of %s/%s is unknown', (provider, name) => {
  expect(priceOf({ provider, name })).toBeUndefined();
});

test('a price of the setting overrides the list, also with zero', () => {
  const overrides = { 'openai/text-embedding-3-small': 0, 'custom/mine': 0.5 };
  expect(priceOf({ provider: 'openai', name: 'text-embedding-3-small' }, overrides)).toEqual({
    usdPerMillionTokens: 0,
  });
  expect(priceOf({ provider: 'custom', name: 'mine' }, overrides)).toEqual({ usdPerMillionTokens: 0.5 });
});

test('batches cost half where the provider has them, and are refused elsewhere', () => {
  expect(batchPriceShareOf({ provider: 'openai' })).toBe(0.5);
  expect(batchPriceShareOf({ provider: 'words' })).toBeUndefined();
  expect(() => requireBatches({ provider: 'openai' })).not.toThrow();
  expect(() => requireBatches({ provider: 'cohere' })).toThrow(
    expect.objectContaining({ type: 'InvalidInput', issues: [{ path: 'batchApi', message: expect.any(String) }] }),
  );
});
