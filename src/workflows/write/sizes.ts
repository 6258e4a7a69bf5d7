/** Numbers of items at which a write works differently. */
export const SIZES = {
  /** Max. items of a local activity, which has 2.5 seconds and saves a round trip through the server. */
  local: 8,
  /** Max. staged items that a local activity can drop in its time. */
  dropLocally: 20_000,
  /** Max. items that one lane writes; more are divided into at least two lanes. */
  oneLane: 1_000,
  /** Items per lane of larger tasks, up to `lanes` lanes. */
  perLane: 2_500,
  lanes: 4,
} as const;

/** Returns the number of lanes that write this many items in parallel. */
export function lanesOf(items: number): number {
  if (items <= SIZES.oneLane) return 1;
  return Math.min(SIZES.lanes, Math.max(2, Math.ceil(items / SIZES.perLane)));
}
