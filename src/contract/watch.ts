/** Bounds of the searches that the new index answers. A share is of all searches, from above 0 to 1. */
export interface RollBackIf {
  /** Share of the searches without any hit. */
  emptyShare?: number | undefined;
  /** Share of the searches that failed, not counting mistakes of the caller. */
  errorShare?: number | undefined;
  /** p95 of the latency divided by that of the old index before the switch. */
  latencyP95Ratio?: number | undefined;
  /** Nothing is decided with fewer searches. */
  minSearches: number;
}

export const ROLL_BACK_BOUNDS = ['emptyShare', 'errorShare', 'latencyP95Ratio'] as const;
export type RollBackBound = (typeof ROLL_BACK_BOUNDS)[number];

export const MIN_SEARCHES = 100;

/** The newest searches are judged: those of these minutes, or as many as a decision needs if these are more. */
export const WATCH_WINDOW_MINUTES = 5;
/** The baseline: the searches of the old index in these minutes before the switch. */
export const BASELINE_MINUTES = 60;

/** The name under which a watch rolls back. */
export const WATCHER = 'watch';

/** Figures of searches; null without searches. */
export interface WatchFigures {
  searches: number;
  emptyShare: number | null;
  errorShare: number | null;
  /** Of the searches that were answered. */
  latencyP95Ms: number | null;
}

export type WatchVerdict =
  /** Fewer searches than a decision needs so far, or until the end. */
  | 'too-few-searches'
  /** No bound is exceeded so far. */
  | 'watching'
  /** A bound is exceeded, and the roll back has not succeeded yet. */
  | 'exceeded'
  | 'rolled-back'
  /** The time is over, and no bound was exceeded. */
  | 'passed'
  /** Someone else rolled back, deleted the old index or ended its task. */
  | 'ended';

/** State of a watch, in `data.watch` of the task that keeps the old index current. */
export interface Watch extends WatchFigures {
  untilTime: string;
  rollBackIf: RollBackIf;
  /** Since when the searches in these figures were answered; null without searches. */
  since: string | null;
  /** The searches of the old index before the switch. */
  baseline: WatchFigures;
  verdict: WatchVerdict;
  /** The verdict in words; null while nothing is decided. */
  why: string | null;
  /** Why the figures could not be read, or the roll back failed; null if neither is so. Both are tried again. */
  problem: string | null;
}

/** Returns the watch in the `data` of a tracker; undefined if there is none. */
export function watchOf(data: Record<string, unknown>): Watch | undefined {
  return data.watch as Watch | undefined;
}

/** Returns which bounds are exceeded, in words; null with too few searches. A baseline with too few is no measure. */
export function exceededBounds(bounds: RollBackIf, now: WatchFigures, baseline: WatchFigures): string[] | null {
  const { minSearches } = bounds;
  if (now.searches < minSearches) return null;
  const measured: Record<RollBackBound, number | null> = {
    emptyShare: now.emptyShare,
    errorShare: now.errorShare,
    latencyP95Ratio: baseline.searches < minSearches ? null : ratioOf(now.latencyP95Ms, baseline.latencyP95Ms),
  };
  return ROLL_BACK_BOUNDS.flatMap((name) => {
    const [value, bound] = [measured[name], bounds[name]];
    if (value === null || bound === undefined || value <= bound) return [];
    const of =
      name === 'latencyP95Ratio' ? ` (p95 ${now.latencyP95Ms} ms, before the switch ${baseline.latencyP95Ms} ms)` : '';
    return [`${name} ${rounded(value)} exceeds ${bound}${of}`];
  });
}

function ratioOf(value: number | null, base: number | null): number | null {
  return value === null || base === null || base <= 0 ? null : value / base;
}

/** Rounds to four digits, which keeps a value above its bound in nearly all cases. */
const rounded = (value: number) => Number(value.toPrecision(4));

/** Returns why a reindex cannot be watched, by field; undefined if it can. Times in milliseconds. */
export function watchProblem(forMs: number, keptMs: number | null): { path: string[]; message: string } | undefined {
  if (keptMs === null) {
    return {
      path: ['watch'],
      message: 'needs `retire` with `keepCurrent`: only an index that is kept current can serve again',
    };
  }
  if (forMs <= keptMs) return undefined;
  return {
    path: ['watch', 'for'],
    message: 'must be at most `retire.after`, as long as the old index is kept current',
  };
}
