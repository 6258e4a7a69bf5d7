import type { Json } from '../contract/json.ts';
import type { Hit } from '../contract/objects.ts';
import { textOf } from './text-of.ts';

/** A hit as a language model reads it. */
export interface BoundedHit {
  id: string;
  score: number;
  text: string;
  metadata: Record<string, Json>;
  /** What is not shown in full, for the total to stay within its limit; such metadata is `{}`. */
  shortened?: ('text' | 'metadata')[];
}

/**
 * Returns hits, best first, with at most `maxChars` characters of texts and metadata in all: each has an equal share, and
 * what one does not need is left to the next. Metadata has up to half of a share, and is never cut.
 */
export function boundedHits(hits: readonly Hit[], maxChars: number): BoundedHit[] {
  let left = maxChars;
  return hits.map(({ id, score, payload, metadata = {}, omitted = [] }, at) => {
    const share = Math.floor(left / (hits.length - at));
    const metadataChars = JSON.stringify(metadata).length;
    const hasMetadata = metadataChars <= share / 2 && !omitted.includes('metadata');
    const whole = omitted.includes('payload') ? '' : textOf(payload);
    const text = cut(whole, share - (hasMetadata ? metadataChars : 0));
    left -= text.length + (hasMetadata ? metadataChars : 0);
    const shortened: BoundedHit['shortened'] = [];
    if (text.length < whole.length || omitted.includes('payload')) shortened.push('text');
    if (!hasMetadata) shortened.push('metadata');
    const shown = { id, score, text, metadata: hasMetadata ? metadata : {} };
    return shortened.length > 0 ? { ...shown, shortened } : shown;
  });
}

/** Returns the beginning of a text, without half a character at its end. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const end = text.slice(0, Math.max(0, maxChars));
  return end.isWellFormed() ? end : end.slice(0, -1);
}
