import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { ReembedError } from '../../contract/errors.ts';
import { type HidingCodec, hideWith } from './keyed-hash.ts';
import { type EncryptionKey, keyRing } from './keys.ts';

// A CommonJS module whose named exports Node cannot detect.
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** The names from Temporal's encryption samples, so that its tools recognize the payloads. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const CIPHER = 'encryption-cipher';
const AES_256_GCM = 'AES-256-GCM';

/** The standard nonce of GCM: 96 bits, never reused with the same key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts payloads with the first key and decrypts those of every key; each carries the id of its key in plain text.
 * Payloads that were never encrypted are passed through. The metadata of a payload is encrypted with it, and changes
 * are detected. Error of `decode`: `InvalidSetting` for a payload whose key is missing, or that was changed.
 *
 * @example
 * const client = new Client({ connection, dataConverter: { payloadCodecs: [encryptionCodec(keys)] } });
 */
export function encryptionCodec(keys: readonly EncryptionKey[]): HidingCodec {
  const ring = keyRing(keys);
  const [first] = ring;
  if (!first) throw new ReembedError('InvalidSetting', 'encryption needs at least one key');
  const [keyId, key] = first;
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, keyId, key)),
    decode: async (payloads) => payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, ring) : payload)),
    hide: hideWith(ring),
  };
}

export function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.[METADATA_ENCODING_KEY]) === ENCODING && textOf(metadata?.[CIPHER]) === AES_256_GCM;
}

function encrypt(payload: Payload, keyId: string, key: Buffer): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(keyId));
  const plain = PayloadMessage.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      [METADATA_ENCODING_KEY]: Buffer.from(ENCODING),
      [CIPHER]: Buffer.from(AES_256_GCM),
      [KEY_ID]: Buffer.from(keyId),
    },
    data,
  };
}

function decrypt({ metadata, data }: Payload, ring: ReadonlyMap<string, Buffer>): Payload {
  const keyId = textOf(metadata?.[KEY_ID]) ?? '';
  const key = ring.get(keyId);
  if (!key) {
    const known = [...ring.keys()].join(', ');
    throw new ReembedError(
      'InvalidSetting',
      `a payload is encrypted with the key ${JSON.stringify(keyId)}, which is not among REEMBED_ENCRYPTION_KEYS (${known})`,
    );
  }
  const bytes = Buffer.from(data ?? []);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(keyId)).setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return PayloadMessage.decode(plain);
  } catch (error) {
    const problem = `a payload cannot be decrypted with the key ${JSON.stringify(keyId)}: the key was replaced under the same id, or the payload was changed`;
    throw new ReembedError('InvalidSetting', problem, { cause: error });
  }
}

function textOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes ? Buffer.from(bytes).toString() : undefined;
}
