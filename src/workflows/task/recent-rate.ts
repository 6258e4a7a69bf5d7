/** How far back the rate looks: long enough for a steady figure, short enough to notice a pause or a new limit. */
const WINDOW_MS = 60_000;
/** Max. samples in the window; a sample stands for a second or longer. */
const MAX_SAMPLES = 60;

/** Computes how many items a task does per second, over the last minute. */
export class RecentRate {
  private readonly samples: { atMs: number; done: number }[];

  /** `done` items were done before. */
  constructor(done: number, nowMs: number) {
    this.samples = [{ atMs: nowMs, done }];
  }

  /** Starts again: what was done before this moment does not count. */
  reset(done: number, nowMs: number): void {
    this.samples.splice(0, this.samples.length, { atMs: nowMs, done });
  }

  /** Adds how many items are done now, and returns the items per second, with one decimal. */
  add(done: number, nowMs: number): number {
    const { samples } = this;
    // The oldest sample is at least as old as the window, if there is one.
    while ((samples[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) samples.shift();
    const [first] = samples as [{ atMs: number; done: number }];
    const seconds = Math.max(0.001, (nowMs - first.atMs) / 1_000);
    const last = samples.at(-1);
    if (last && samples.length <= MAX_SAMPLES && nowMs - last.atMs >= WINDOW_MS / MAX_SAMPLES) {
      samples.push({ atMs: nowMs, done });
    }
    return Math.max(0, Math.round(((done - first.done) / seconds) * 10) / 10);
  }
}
