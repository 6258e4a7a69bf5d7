import { createHash } from 'node:crypto';
import { canonicalJson, canonicalPieces } from '../../contract/canonical-json.ts';
import type { Pace } from '../../cpu/pace.ts';
import { shaInTurns } from '../../cpu/sha.ts';
import { EncodedItem } from '../../store/encoded-item.ts';

/** Hash that is equal for equal calls: of the body's options first, then of each item's own hash. */
export interface InputHash {
  /** Adds an item and yields to the event loop within large ones. */
  add(item: unknown, pace: Pace): Promise<void>;
  digest(): string;
}

/** Creates a SHA-256 that keeps no items in memory: it works for any length and is equal for JSON and NDJSON. */
export function createInputHash(options: Record<string, unknown>): InputHash {
  const hash = createHash('sha256').update(canonicalJson(options));
  return {
    async add(item, pace) {
      hash.update(item instanceof EncodedItem ? item.sha : await shaInTurns(canonicalPieces(item), pace));
    },
    digest: () => hash.digest('hex'),
  };
}
