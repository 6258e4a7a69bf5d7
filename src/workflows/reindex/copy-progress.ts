import type { CopyCounts } from '../../contract/reindex-activities.ts';
import type { StepWaits } from '../../contract/task-pace.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskContext } from '../task/types.ts';

type SliceStatus = 'pending' | 'processing' | 'done' | 'failed' | 'canceled';

/** Progress of a copy in the tracker of its reindex: counts, states of the slices, and what they wait for. */
export class CopyProgress {
  private readonly task: TaskContext;
  private readonly plan: { slices: readonly unknown[]; size: number; total: number; objects?: number };
  private readonly counts: CopyCounts;
  /** Objects and slices that were copied before, by an earlier run or attempt under the same lock. */
  private readonly doneBefore: number;
  readonly slicesBefore: number;
  /** Of each started slice, the share of its objects that is copied. */
  private readonly shares = new Map<string, number>();
  private readonly waitedMs = new Map<string, number>();
  private readonly yieldedBefore: number;
  private isOver = false;

  constructor(task: TaskContext, plan: CopyProgress['plan'], { isResumed }: { isResumed: boolean }) {
    const { children, progress, data } = task.tracker;
    this.task = task;
    this.plan = plan;
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

  /** Sets how long a slice has yielded to live traffic in total, and adds what its last step waited for. */
  setWaited(sliceId: string, waitedMs: number, waits?: StepWaits): void {
    this.waitedMs.set(sliceId, waitedMs);
    if (!this.isOver) this.task.noteWaits(waits);
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
    const { slices, total, objects = total - this.doneBefore } = this.plan;
    const share = [...this.shares.values()].reduce((sum, one) => sum + one, 0);
    const done = this.doneBefore + Math.round((objects * share) / slices.length);
    const yieldedMs = [...this.waitedMs.values()].reduce((sum, ms) => sum + ms, this.yieldedBefore);
    const { failed } = this.counts;
    this.task.report({ done: Math.min(done, total), failed, data: { ...this.counts, yieldedMs } });
  }

  /** The waits of a step that is reported late belong to no step that runs. */
  end(): void {
    this.isOver = true;
  }
}

/** Returns the counts in a tracker's data. */
export function countsIn(tracker: Tracker | undefined): CopyCounts {
  const { copied = 0, tombstones = 0, failed = 0, reused = 0 } = (tracker?.data ?? {}) as Partial<CopyCounts>;
  return { copied, tombstones, failed, reused };
}
