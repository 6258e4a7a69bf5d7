import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { encryptionCodec } from '../../../src/temporal/encryption/codec.ts';

const keyOf = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const [first, second] = [keyOf('2026'), keyOf('2027')];

test('a name has the same hash for all with the first key, and only for them', () => {
  const { hide } = encryptionCodec([first]);
  expect(hide('customer-7')).toMatch(/^[0-9a-f]{32}$/);
  expect(hide('customer-7')).toBe(encryptionCodec([first]).hide('customer-7'));
  expect(hide('customer-8')).not.toBe(hide('customer-7'));
  expect(encryptionCodec([second]).hide('customer-7')).not.toBe(hide('customer-7'));
});

test('a new key changes no name, behind the old one or before it', () => {
  const { hide } = encryptionCodec([first]);
  for (const keys of [
    [first, second],
    [second, first],
  ])
    expect(encryptionCodec(keys).hide('a')).toBe(hide('a'));
});
