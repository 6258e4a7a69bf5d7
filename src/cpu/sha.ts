import { createHash } from 'node:crypto';
import type { Pace } from './pace.ts';

/** Returns the SHA-256 of a text that comes in pieces. Yields to the event loop between them, as `pace` says. */
export async function shaInTurns(pieces: Iterable<string>, pace: Pace): Promise<Buffer> {
  const sha = createHash('sha256');
  for (const piece of pieces) {
    sha.update(piece);
    await pace.breathe();
  }
  return sha.digest();
}
