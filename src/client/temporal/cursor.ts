import { createHash } from 'node:crypto';
import { ReembedError } from '../../contract/errors.ts';

/** Bytes of the checksum before a token: Temporal tries a token that is none for seconds and blames itself. */
const CHECKSUM_BYTES = 6;

function checksum(filter: string, token: Uint8Array): Buffer {
  return createHash('sha256').update(filter).update(token).digest().subarray(0, CHECKSUM_BYTES);
}

/** Where a list goes on, such as Temporal's page token, made good for lists with this filter only; null for none. */
export function toCursor(filter: string, token: Uint8Array): string | null {
  return token.length === 0 ? null : Buffer.concat([checksum(filter, token), token]).toString('base64url');
}

/** The token of a cursor; empty for none. Error: `InvalidInput` for the cursor of another list. */
export function fromCursor(filter: string, cursor: string | null | undefined): Uint8Array {
  if (cursor === undefined || cursor === null) return new Uint8Array();
  const bytes = Buffer.from(cursor, 'base64url');
  const token = bytes.subarray(CHECKSUM_BYTES);
  if (token.length > 0 && checksum(filter, token).equals(bytes.subarray(0, CHECKSUM_BYTES))) return token;
  const message = 'must be the cursor of an earlier answer with the same filter';
  throw new ReembedError('InvalidInput', `cursor: ${message}`, { issues: [{ path: 'cursor', message }] });
}
