/**
 * Creates a generator of numbers from 0 (inclusive) to 1 (exclusive) that depend on the seed only, so that the same
 * evaluation has the same result. Mulberry32, a 32-bit generator with a state of one number; not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
