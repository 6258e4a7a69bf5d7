import { createHash } from 'node:crypto';

/** A JSON value as text that is the same whatever the order of the keys. What is undefined is left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}

/** Tells whether two calls ask for the same: of a body's options first, then of one item after the other. */
export interface InputHash {
  add(item: unknown): void;
  digest(): string;
}

/** A SHA-256 that needs no memory for the items, so that a body of any length has one, the same in JSON and NDJSON. */
export function createInputHash(options: Record<string, unknown>): InputHash {
  const hash = createHash('sha256').update(canonicalJson(options));
  return {
    add: (item) => void hash.update('\n').update(canonicalJson(item)),
    digest: () => hash.digest('hex'),
  };
}
