import { createHash, type Hash, hash } from 'node:crypto';
import type { Pace } from './pace.ts';

/** Shorter pieces are hashed together: each call of the library costs as much as some hundred characters. */
export const AT_ONCE_CHARS = 64 * 1024;

/** Returns the SHA-256 of a short text in base64url. */
export function sha(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Returns the SHA-256 of a text that comes in pieces. Yields to the event loop between them, as `pace` says. */
export async function shaInTurns(pieces: Iterable<string>, pace: Pace): Promise<Buffer> {
  let sha: Hash | undefined;
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length >= AT_ONCE_CHARS) {
      sha = (sha ?? createHash('sha256')).update(text);
      text = '';
    }
    if (pace.isDue) await pace.breathe();
  }
  return sha === undefined ? hash('sha256', text, 'buffer') : sha.update(text).digest();
}
