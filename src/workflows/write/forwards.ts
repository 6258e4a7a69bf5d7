import { CancellationScope, condition } from '@temporalio/workflow';
import type { ForwardRange } from '../../contract/activities.ts';
import { forwardActivities } from '../activities.ts';

/** Max. time that a task waits for its forwards after its last write. */
const GRACE_MS = 1_500;
/** Max. concurrent forwards of one task. */
const AT_ONCE = 4;

type Stretch = ForwardRange & { staging: string };

/**
 * Forwards the task's writes to the index being built, in parallel with the writing. The response to a writer does not
 * depend on that index's model: forwards that have not arrived shortly after the last write are left to the reindex,
 * which copies whatever is behind. An abandoned forward that arrives late is harmless: it carries the source's
 * versions.
 */
export class Forwards {
  /** Items that were forwarded, and items that were not. */
  readonly counts = { forwarded: 0, forwardFailed: 0 };
  private readonly scope = new CancellationScope();
  private readonly queue: Stretch[] = [];
  private readonly running = new Map<Stretch, Promise<void>>();
  private isOver = false;
  private readonly onCount: () => void;

  constructor(onCount: () => void) {
    this.onCount = onCount;
  }

  add(stretches: readonly Stretch[]): void {
    this.queue.push(...stretches);
    this.startNext();
  }

  /** Waits briefly for running forwards and abandons the rest. After a cancellation it waits until all have stopped. */
  async finish(): Promise<void> {
    const isIdle = () => this.running.size === 0;
    try {
      if (!isIdle()) await condition(isIdle, GRACE_MS, { summary: 'forwards to the index being built' });
    } finally {
      this.isOver = true;
      this.scope.cancel();
      for (const stretch of [...this.running.keys(), ...this.queue.splice(0)]) this.giveUp(stretch);
      if (CancellationScope.current().consideredCancelled) {
        await CancellationScope.nonCancellable(() => Promise.all(this.running.values()));
      }
      this.onCount();
    }
  }

  private startNext(): void {
    while (!this.isOver && this.running.size < AT_ONCE) {
      const stretch = this.queue.shift();
      if (!stretch) return;
      this.running.set(stretch, this.forward(stretch));
    }
  }

  private async forward(stretch: Stretch): Promise<void> {
    try {
      const { forwarded } = await this.scope.run(() => forwardActivities().forwardChunk(stretch));
      if (!this.isOver) this.counts.forwarded += forwarded;
    } catch {
      // The reindex copies it. A cancellation is reported by the task's other steps.
      if (!this.isOver) this.giveUp(stretch);
    }
    this.running.delete(stretch);
    if (this.isOver) return;
    this.startNext();
    this.onCount();
  }

  private giveUp({ fromSeq, toSeq }: Stretch): void {
    this.counts.forwardFailed += toSeq - fromSeq;
  }
}
