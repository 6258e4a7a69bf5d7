/**
 * 32-bit hashes over code points. FNV-1a (Fowler, Noll, Vo), because it can be extended one character at a time, which
 * gives all n-grams that start at a place for the price of the longest; MurmurHash3's finalizer, because the low bits
 * of FNV-1a alone are too regular to choose a dimension and a sign from.
 */
const FNV_PRIME = 0x01000193;

export const FNV_OFFSET = 0x811c9dc5 | 0;

/** Does one step of FNV-1a, with a whole code point where the original takes a byte. */
export function extendHash(hash: number, codePoint: number): number {
  return Math.imul(hash ^ codePoint, FNV_PRIME);
}

/** Spreads every input bit over all 32 output bits (Appleby's fmix32). Returns an unsigned number. */
export function mixHash(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  mixed ^= mixed >>> 16;
  return mixed >>> 0;
}

export function hashString(text: string, seed: number = FNV_OFFSET): number {
  let hash = seed;
  for (const character of text) hash = extendHash(hash, character.codePointAt(0) ?? 0);
  return mixHash(hash);
}
