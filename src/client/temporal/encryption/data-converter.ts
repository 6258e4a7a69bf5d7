import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { encryptionCodec } from './codec.ts';
import type { EncryptionKey } from './keys.ts';

/** For the bundle of workflows, which has to turn errors into payloads as its worker does. */
export const FAILURE_CONVERTER_PATH = fileURLToPath(new URL('failure-converter.cjs', import.meta.url));

/**
 * What makes a Temporal client or worker read and write encrypted payloads, messages of errors included; undefined
 * without keys, for Temporal's own.
 *
 * @example
 * const keys = [{ id: '2026', key: process.env.KEY }];
 * const client = new Client({ connection, dataConverter: encryptedData(keys) });
 */
export function encryptedData(keys: readonly EncryptionKey[]): DataConverter | undefined {
  if (keys.length === 0) return undefined;
  return { payloadCodecs: [encryptionCodec(keys)], failureConverterPath: FAILURE_CONVERTER_PATH };
}
