import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { encryptionCodec, isEncrypted } from '../../../src/temporal/encryption/codec.ts';
import { encryptionKeyOf } from '../../../src/temporal/encryption/keys.ts';

const keyOf = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const [old, fresh] = [keyOf('2025'), keyOf('2026')];
const payload = defaultPayloadConverter.toPayload({ text: 'a secret lion' }) as Payload;
const textIn = (one: Payload | undefined) => Buffer.from(one?.data ?? []).toString('latin1');

async function roundTrip(writer: (typeof old)[], reader: (typeof old)[]): Promise<unknown> {
  const [read] = await encryptionCodec(reader).decode(await encryptionCodec(writer).encode([payload]));
  return defaultPayloadConverter.fromPayload(read as Payload);
}

describe('an encrypted payload', () => {
  it('reveals which key it needs and nothing else', async () => {
    const [one, other] = await encryptionCodec([fresh, old]).encode([payload, payload]);
    expect(Object.keys(one?.metadata ?? {}).sort()).toEqual(['encoding', 'encryption-cipher', 'encryption-key-id']);
    expect(Buffer.from(one?.metadata?.['encryption-key-id'] ?? []).toString()).toBe('2026');
    expect(textIn(one)).not.toMatch(/lion|json/);
    // A new nonce each time: equal payloads do not look equal.
    expect(textIn(one)).not.toBe(textIn(other));
  });

  it('can be read with its key, in any order of keys', async () => {
    const value = { text: 'a secret lion' };
    expect(await roundTrip([old], [old])).toEqual(value);
    expect(await roundTrip([old], [fresh, old])).toEqual(value);
    expect(await roundTrip([fresh, old], [old, fresh])).toEqual(value);
  });

  it('cannot be read without its key, nor with another key of the same id', async () => {
    await expect(roundTrip([fresh], [old])).rejects.toMatchObject({
      type: 'InvalidSetting',
      message: expect.stringMatching(/"2026".*not among REEMBED_ENCRYPTION_KEYS \(2025\)/),
    });
    await expect(roundTrip([fresh], [keyOf('2026')])).rejects.toMatchObject({ message: /cannot be decrypted/ });
  });

  it('cannot be read when one bit was changed', async () => {
    const codec = encryptionCodec([old]);
    const [encrypted] = await codec.encode([payload]);
    const bytes = Buffer.from(encrypted?.data ?? []);
    for (const at of [0, 12, bytes.length - 1]) {
      const data = Buffer.from(bytes);
      data.writeUInt8(data.readUInt8(at) ^ 1, at);
      await expect(codec.decode([{ ...encrypted, data }])).rejects.toMatchObject({ type: 'InvalidSetting' });
    }
    await expect(codec.decode([{ ...encrypted, data: Buffer.alloc(3) }])).rejects.toMatchObject({
      type: 'InvalidSetting',
    });
  });
});

it('a payload that is not encrypted, or by another program, is passed through', async () => {
  const foreign: Payload = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('x') };
  expect(await encryptionCodec([old]).decode([payload, foreign])).toEqual([payload, foreign]);
  expect(isEncrypted(payload)).toBe(false);
});

it.each([
  'no-id',
  'a b:x',
  `a:${randomBytes(16).toString('base64')}`,
  `a:${randomBytes(33).toString('base64')}`,
  'a:!',
])('a key is not read from %s', (written) => {
  expect(encryptionKeyOf(written)).toBeUndefined();
});

it('unusable keys are refused', () => {
  expect(() => encryptionCodec([])).toThrow(/at least one key/);
  expect(() => encryptionCodec([old, { ...fresh, id: '2025' }])).toThrow(/two encryption keys with the id "2025"/);
  expect(() => encryptionCodec([{ id: 'x', key: 'short' }])).toThrow(/must be id:key/);
});
