import { createHash } from 'node:crypto';
import { CANARY_SIDES } from '../../contract/read-shares.ts';

/**
 * Whether a canary with this share answers a search. The key of the caller may force a side; otherwise its hash decides,
 * which stays, so that a larger share keeps the keys of a smaller one. Without a key `draw` decides, from 0 to below 1.
 */
export function isForCanary(share: number, key: string | undefined, draw: () => number): boolean {
  if (share === 0 || key === CANARY_SIDES.serving) return false;
  if (key === CANARY_SIDES.other) return true;
  return (key ? placeOf(key) : draw()) < share;
}

/** Returns a number from 0 to below 1 that depends on the text alone. */
function placeOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32;
}
