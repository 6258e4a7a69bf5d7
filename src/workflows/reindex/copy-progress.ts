import type { CopyCounts } from '../../contract/activities.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskContext } from '../task/types.ts';

/** Wait since a slice's last report, in ms, from which it counts as slowed down. Slices report every ten seconds. */
const SLOWED_MS = 1_000;

type SliceStatus = 'pending' | 'processing' | 'done' | 'failed' | 'canceled';

/** Progress of a copy in the tracker of its reindex: counts, states of the slices, and time left to live traffic. */
export class CopyProgress {
  private readonly task: TaskContext;
  private readonly plan: { slices: readonly unknown[]; size: number; total: number };
  private readonly counts: CopyCounts;
  /** Objects and slices that were copied before, by an earlier run or attempt under the same lock. */
  private readonly doneBefore: number;
  readonly slicesBefore: number;
  /** Of each started slice, the share of its objects that is copied. */
  private readonly shares = new Map<string, number>();
  private readonly waitedMs = new Map<string, number>();
  private readonly yieldedBefore: number;
  private readonly detail: string;
  private isOver = false;

  constructor(task: TaskContext, plan: CopyProgress['plan'], { isResumed }: { isResumed: boolean }) {
    const { children, progress, data, detail } = task.tracker;
    this.task = task;
    this.plan = plan;
    this.detail = detail;
    this.doneBefore = isResumed ? progress.done : 0;
    this.slicesBefore = isResumed ? (children.done ?? 0) : 0;
    this.counts = countsIn(isResumed ? task.tracker : undefined);
    this.yieldedBefore = typeof data.yieldedMs === 'number' ? data.yieldedMs : 0;
    Object.assign(children, { pending: plan.slices.length, processing: 0, done: this.slicesBefore, failed: 0 });
    task.report({ total: plan.total, done: this.doneBefore, failed: this.counts.failed });
  }

  /** Sets how many objects a slice has copied. */
  set(sliceId: string, done: number): void {
    this.shares.set(sliceId, Math.min(1, done / this.plan.size));
  }

  /** Says in the detail when yielding to live traffic slows the copying. */
  setWaited(sliceId: string, waitedMs: number): void {
    const isSlowed = waitedMs - (this.waitedMs.get(sliceId) ?? 0) >= SLOWED_MS;
    this.waitedMs.set(sliceId, waitedMs);
    if (this.isOver) return;
    this.task.setDetail(isSlowed ? `${this.detail}; slowly, to leave room for searches and writes` : this.detail);
  }

  /** Adds the counts of a slice that has ended. */
  add({ copied, tombstones, failed, reused = 0 }: CopyCounts): void {
    this.counts.copied += copied;
    this.counts.tombstones += tombstones;
    this.counts.failed += failed;
    this.counts.reused = (this.counts.reused ?? 0) + reused;
  }

  move(from: 'pending' | 'processing', to: SliceStatus): void {
    const { children } = this.task.tracker;
    children[from] = (children[from] ?? 1) - 1;
    children[to] = (children[to] ?? 0) + 1;
  }

  report(): void {
    const { slices, total } = this.plan;
    const share = [...this.shares.values()].reduce((sum, one) => sum + one, 0);
    const done = this.doneBefore + Math.round(((total - this.doneBefore) * share) / slices.length);
    const yieldedMs = [...this.waitedMs.values()].reduce((sum, ms) => sum + ms, this.yieldedBefore);
    const { failed } = this.counts;
    this.task.report({ done: Math.min(done, total), failed, data: { ...this.counts, yieldedMs } });
  }

  /** Stops changing the detail: the next step sets its own. */
  end(): void {
    this.isOver = true;
  }
}

/** Returns the counts in a tracker's data. */
export function countsIn(tracker: Tracker | undefined): CopyCounts {
  const { copied = 0, tombstones = 0, failed = 0, reused = 0 } = (tracker?.data ?? {}) as Partial<CopyCounts>;
  return { copied, tombstones, failed, reused };
}
