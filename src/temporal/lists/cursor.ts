import { createHash } from 'node:crypto';
import { invalidField } from '../../contract/errors.ts';

/**
 * Bytes of the checksum before a token: Temporal retries an invalid token for seconds and reports an internal error.
 */
const CHECKSUM_BYTES = 6;

function checksum(filter: string, token: Uint8Array): Buffer {
  return createHash('sha256').update(filter).update(token).digest().subarray(0, CHECKSUM_BYTES);
}

/** Wraps a page token, such as Temporal's, in a cursor that is valid for this filter only; null for an empty token. */
export function toCursor(filter: string, token: Uint8Array): string | null {
  return token.length === 0 ? null : Buffer.concat([checksum(filter, token), token]).toString('base64url');
}

/** Returns the token of a cursor; empty without a cursor. Error: `InvalidInput` for the cursor of another list. */
export function fromCursor(filter: string, cursor: string | null | undefined): Uint8Array {
  if (cursor === undefined || cursor === null) return new Uint8Array();
  const bytes = Buffer.from(cursor, 'base64url');
  const token = bytes.subarray(CHECKSUM_BYTES);
  if (token.length > 0 && checksum(filter, token).equals(bytes.subarray(0, CHECKSUM_BYTES))) return token;
  const message = 'must be a cursor from an earlier response with the same filter';
  throw invalidField('cursor', message);
}
