import { createHash } from 'node:crypto';
import { canonicalJson } from '../../contract/json.ts';

/** Tells whether two calls ask for the same: of a body's options first, then of one item after the other. */
export interface InputHash {
  add(item: unknown): void;
  digest(): string;
}

/** A SHA-256 that needs no memory for the items, so that a body of any length has one, the same in JSON and NDJSON. */
export function createInputHash(options: Record<string, unknown>): InputHash {
  const hash = createHash('sha256').update(canonicalJson(options));
  return {
    add: (item) => void hash.update(`\n${canonicalJson(item)}`),
    digest: () => hash.digest('hex'),
  };
}
