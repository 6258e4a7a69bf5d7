import type { Neighbor } from './neighborhood.ts';
import type { IndexRow } from './schema.ts';

type Near = Pick<Neighbor, 'distance'>;

/** Distances that differ by less than this share of the largest one are equal. */
const SAME = 1e-4;

/**
 * Counts how many of the exact results of a search another way to search has found: by distance, not by id, since among
 * equally near objects any is correct. A cosine is between 0 and 2; other distances are as large as the vectors are.
 */
export function countFound(
  { metric }: Pick<IndexRow, 'metric'>,
  exact: readonly Near[],
  found: readonly Near[],
): number {
  const scale = metric === 'cosine' ? 1 : exact.reduce((max, { distance }) => Math.max(max, Math.abs(distance)), 0);
  const farthest = (exact.at(-1)?.distance ?? 0) + SAME * scale;
  return Math.min(exact.length, found.filter(({ distance }) => distance <= farthest).length);
}
