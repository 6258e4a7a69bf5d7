import { CancellationScope, condition } from '@temporalio/workflow';
import type { ForwardRange } from '../contract/activities.ts';
import { forwardActivities } from './activities.ts';

/** How long a task waits for its forwards once everything is written. */
const GRACE_MS = 1_500;
/** Forwards of one task at once. */
const AT_ONCE = 4;

type Stretch = ForwardRange & { staging: string };

/**
 * Brings what a task writes to the index being built too, beside the writing. The answer to a writer does not depend on
 * the model of that index: what is not there shortly after the last write is left to the reindex, which brings whatever
 * is behind. One that was given up and arrives later changes nothing: it brings what the source has, with its versions.
 */
export class Forwards {
  /** Items that arrived, and items that did not. */
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

  /** Waits a moment for what is under way, and gives up the rest. A cancellation stops all at once, and is confirmed. */
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
      // The reindex brings it. That the task is canceled, its other steps tell.
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
