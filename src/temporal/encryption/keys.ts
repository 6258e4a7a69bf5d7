import { ReembedError } from '../../contract/errors.ts';

/** A key for payloads: `key` is 32 random bytes in base64; `id` is sent with every payload in plain text. */
export interface EncryptionKey {
  id: string;
  key: string;
}

const KEY_BYTES = 32;

/** The format of a key, as the end of the sentence "… must be". */
export const KEY_FORM = 'id:key, where the key is 32 bytes in base64 (openssl rand -base64 32)';

/** Parses `id:base64`; undefined if it is invalid. */
export function encryptionKeyOf(written: string): EncryptionKey | undefined {
  const [, id, key] = /^([\w.-]{1,64}):([A-Za-z0-9+/_-]+={0,2})$/.exec(written) ?? [];
  if (id === undefined || key === undefined || Buffer.from(key, 'base64').length !== KEY_BYTES) return undefined;
  return { id, key };
}

/** Returns the keys as bytes, by id. @throws ReembedError `InvalidSetting` for an invalid key or a duplicate id */
export function keyRing(keys: readonly EncryptionKey[]): ReadonlyMap<string, Buffer> {
  const ring = new Map<string, Buffer>();
  for (const { id, key } of keys) {
    if (!encryptionKeyOf(`${id}:${key}`)) {
      throw new ReembedError('InvalidSetting', `the encryption key ${JSON.stringify(id)} must be ${KEY_FORM}`);
    }
    if (ring.has(id)) {
      throw new ReembedError('InvalidSetting', `there are two encryption keys with the id ${JSON.stringify(id)}`);
    }
    ring.set(id, Buffer.from(key, 'base64'));
  }
  return ring;
}
