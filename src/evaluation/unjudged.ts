/** Measures of two rankings against each other, without judgments. Rankings have each id once, best first. */

/**
 * Returns the share of the first `k` objects that both rankings have, in any order, from 0 to 1: the objects in common,
 * divided by those of the longer ranking, so that two equal rankings with fewer than `k` objects have 1. Returns 1 for
 * two empty rankings.
 */
export function overlapAt(left: readonly string[], right: readonly string[], k: number): number {
  const first = new Set(left.slice(0, k));
  const second = right.slice(0, k);
  const longest = Math.max(first.size, second.length);
  return longest === 0 ? 1 : second.filter((id) => first.has(id)).length / longest;
}

/** The persistence of rank-biased overlap: with 0.9 the first ten places have 86 % of the weight. */
export const PERSISTENCE = 0.9;

/**
 * Returns the extrapolated rank-biased overlap of two rankings, from 0 to 1: top-weighted agreement, with the agreement
 * at the last place continued. `p` is the probability that a reader looks at one more place.
 *
 * Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28(4), 2010, equation 32, which
 * also covers rankings of different lengths. Returns 1 for two empty rankings, and 0 if one is empty.
 */
export function rankBiasedOverlap(left: readonly string[], right: readonly string[], p: number = PERSISTENCE): number {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  const s = short.length;
  const l = long.length;
  if (s === 0) return l === 0 ? 1 : 0;
  const inShort = new Set<string>();
  const inLong = new Set<string>();
  let common = 0;
  let commonAtShort = 0;
  let sum = 0;
  for (let depth = 1; depth <= l; depth++) {
    const fromLong = long[depth - 1] as string;
    const fromShort = short[depth - 1];
    inLong.add(fromLong);
    if (fromShort !== undefined) inShort.add(fromShort);
    if (inShort.has(fromLong)) common++;
    if (fromShort !== undefined && fromShort !== fromLong && inLong.has(fromShort)) common++;
    if (depth === s) commonAtShort = common;
    sum += (common / depth) * p ** depth;
    if (depth > s) sum += ((commonAtShort * (depth - s)) / (s * depth)) * p ** depth;
  }
  return ((1 - p) / p) * sum + ((common - commonAtShort) / l + commonAtShort / s) * p ** l;
}

/**
 * Returns by how many places an object moves on average between the first `k` of two rankings, from 0 to `k`. An object
 * that one of them lacks counts as being at place `k` + 1 there.
 *
 * This is Spearman's footrule with location parameter `k` + 1 (Fagin, Kumar and Sivakumar, "Comparing top k lists",
 * SIAM Journal on Discrete Mathematics 17(1), 2003, section 3), divided by the number of objects in either ranking.
 * Returns 0 for two empty rankings.
 */
export function rankDisplacement(left: readonly string[], right: readonly string[], k: number): number {
  const places = new Map<string, [left: number, right: number]>();
  left.slice(0, k).forEach((id, at) => void places.set(id, [at + 1, k + 1]));
  right.slice(0, k).forEach((id, at) => {
    const there = places.get(id);
    if (there) there[1] = at + 1;
    else places.set(id, [k + 1, at + 1]);
  });
  if (places.size === 0) return 0;
  let moved = 0;
  for (const [before, after] of places.values()) moved += Math.abs(before - after);
  return moved / places.size;
}
