import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { encryptionCodec } from './codec.ts';
import type { EncryptionKey } from './keys.ts';

/** For the workflow bundle, which must convert errors to payloads like its worker. */
export const FAILURE_CONVERTER_PATH = fileURLToPath(new URL('failure-converter.cjs', import.meta.url));

/**
 * Returns the data converter for a Temporal client or worker with encrypted payloads, error messages included. Without
 * keys it is undefined, for Temporal's default.
 *
 * @example
 * const keys = [{ id: '2026', key: process.env.KEY }];
 * const client = new Client({ connection, dataConverter: encryptedData(keys) });
 */
export function encryptedData(keys: readonly EncryptionKey[]): DataConverter | undefined {
  if (keys.length === 0) return undefined;
  return { payloadCodecs: [encryptionCodec(keys)], failureConverterPath: FAILURE_CONVERTER_PATH };
}
