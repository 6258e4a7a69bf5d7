/** Shares of the live searches that also, or instead, run on another index than the one that serves. */
export interface ReadShares {
  /** Share that also runs on the other index, after the answer; 0 to 1. */
  shadow: number;
  /** Share that the other index answers; 0 to 1. */
  canary: number;
}

/** State of the reads of a task, in `data.reads` of its tracker. */
export interface ReadsState extends ReadShares {
  /** Since when these shares are in force; null if they are not, or not yet. */
  since: string | null;
}

/** Header of a search that decides whether a canary answers it. */
export const CANARY_HEADER = 'X-Reembed-Canary';
/** Values of the header that force a side; any other value is a key whose hash decides. */
export const CANARY_SIDES = { other: 'new', serving: 'old' } as const;

/** What a share must be, in words. */
export const SHARE_RANGE = 'a number from 0 to 1';

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** Returns what is wrong with shares that tools may have sent in any form, or undefined. */
export function shareProblem(given: unknown): string | undefined {
  const shares = Object.entries((typeof given === 'object' && given) || {});
  const isRight = shares.every(([name, share]) => (name === 'shadow' || name === 'canary') && isShare(share));
  return shares.length > 0 && isRight ? undefined : `an object with shadow or canary, ${SHARE_RANGE}, was expected`;
}

/**
 * Returns why shares cannot be set for a reindex, by field; undefined if they can. Shares that would never be used are an
 * error, since nobody would notice.
 */
export function readsProblem(
  { shadow = 0, canary = 0 }: Partial<ReadShares>,
  { approve, retire }: { approve: unknown; retire: unknown },
): { field: keyof ReadShares; message: string } | undefined {
  if (approve !== 'auto') return undefined;
  if (canary > 0) return { field: 'canary', message: 'needs `approve` other than auto: there is nothing to wait for' };
  const isKept = (retire as { keepCurrent?: unknown } | undefined)?.keepCurrent === true;
  if (shadow === 0 || isKept) return undefined;
  return { field: 'shadow', message: 'needs `approve` other than auto, or `retire` with `keepCurrent`' };
}
