/** A wait is at least this share of the time that the job has waited: the checks of a wait of months fit into the history. */
const WAITED_SHARE = 0.01;

/** Returns the wait after one of `lastSeconds`: twice as long, up to a maximum that grows with the time waited so far. */
export function nextWait(lastSeconds: number, maxSeconds: number, waitedMs: number): number {
  return Math.min(lastSeconds * 2, Math.max(maxSeconds, (WAITED_SHARE * waitedMs) / 1_000));
}
