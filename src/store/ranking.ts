import { invalidField } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import { scoreOf } from './hits.ts';
import type { Neighbor } from './neighborhood.ts';
import type { IndexRow } from './schema.ts';

/** Which of the nearest neighbors a search returns. */
export interface Ranking {
  limit: number;
  /** Lowest score of a hit. */
  minScore?: number | undefined;
  /** Hits to skip. */
  offset?: number | undefined;
}

/**
 * Returns how many neighbors to find. All pages are cut from a ranking of the same depth: the HNSW index may rank more
 * neighbors differently, so that pages from rankings of their own could repeat or miss some.
 */
export function depthOf({ limit, offset }: Ranking): number {
  return offset === undefined ? limit : LIMITS.searchLimit;
}

/** Returns the page of a ranking, without the neighbors below the lowest score. */
export function cutRanking(
  index: Pick<IndexRow, 'metric'>,
  neighbors: readonly Neighbor[],
  { limit, offset = 0, minScore = Number.NEGATIVE_INFINITY }: Ranking,
): Neighbor[] {
  return neighbors.slice(offset, offset + limit).filter(({ distance }) => scoreOf(index, distance) >= minScore);
}

/** Whether a scan from the nearest on has left the neighbors that the lowest score admits behind. */
export function reachesMinScore(
  index: Pick<IndexRow, 'metric'>,
  neighbors: readonly Neighbor[],
  { minScore }: Ranking,
): boolean {
  const worst = neighbors.at(-1);
  return minScore !== undefined && worst !== undefined && scoreOf(index, worst.distance) < minScore;
}

/** Highest score of each metric; the inner product has none. */
const HIGHEST: Partial<Record<IndexRow['metric'], number>> = { cosine: 1, l2: 0 };

/** Refuses a score that no hit of the index can have. Error: `InvalidInput`. */
export function requireMinScore({ metric, name }: Pick<IndexRow, 'metric' | 'name'>, { minScore }: Ranking): void {
  const highest = HIGHEST[metric];
  if (minScore === undefined || highest === undefined || minScore <= highest) return;
  const expected = `must be at most ${highest}, the highest score of the metric ${metric}`;
  throw invalidField('minScore', expected, `minScore ${expected}, which ${name} has`);
}
