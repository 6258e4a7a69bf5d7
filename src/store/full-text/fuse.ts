/** Constant of reciprocal rank fusion: how little the first places differ. As in the paper. */
const RANK_CONSTANT = 60;

/** An object of one ranking. */
export interface Ranked {
  id: string;
  part: number | null;
}

export interface Fused extends Ranked {
  score: number;
  /** Place in each ranking, from 1; null where it does not occur. */
  ranks: (number | null)[];
}

/**
 * Merges rankings by reciprocal rank fusion: the score of an object sums `weight / (60 + rank)` over the rankings in
 * which it occurs (Cormack, Clarke and Büttcher, SIGIR 2009). An object has the part of the first ranking with it.
 */
export function fuse(rankings: readonly { weight: number; found: readonly Ranked[] }[], limit: number): Fused[] {
  const fused = new Map<string, Fused>();
  for (const [at, { weight, found }] of rankings.entries()) {
    if (weight === 0) continue;
    for (const [place, { id, part }] of found.entries()) {
      const object = fused.get(id) ?? { id, part, score: 0, ranks: rankings.map(() => null) };
      object.score += weight / (RANK_CONSTANT + place + 1);
      object.ranks[at] = place + 1;
      fused.set(id, object);
    }
  }
  const byScore = (one: Fused, other: Fused) => other.score - one.score || (one.id < other.id ? -1 : 1);
  return [...fused.values()].sort(byScore).slice(0, limit);
}
