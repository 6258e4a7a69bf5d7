import pLimit from 'p-limit';
import type { ForwardTarget } from '../../store/protocol/live-write.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { forwardObjects } from '../forward.ts';

/** Max. batches that are forwarded at once, and that wait for it. */
const AT_ONCE = 4;
const MAX_WAITING = 32;

type Target = ForwardTarget & { sourceNo: number };

/**
 * Forwards what was written to the index being built, beside the writing. What is not forwarded, because that index's
 * model is slow or fails, is copied by the reindex.
 */
export class Forwarding {
  private readonly limit = pLimit(AT_ONCE);
  private readonly deps: ActivityDependencies;
  private readonly signal: AbortSignal;

  constructor(deps: ActivityDependencies, signal: AbortSignal) {
    this.deps = deps;
    this.signal = signal;
  }

  add(targets: readonly Target[], ids: readonly string[]): void {
    for (const target of targets) {
      if (this.limit.pendingCount < MAX_WAITING) void this.limit(() => this.forward(target, ids));
    }
  }

  private async forward({ indexNo: destNo, sourceNo, lock }: Target, ids: readonly string[]): Promise<void> {
    const { deps, signal } = this;
    if (signal.aborted) return;
    const done = await forwardObjects(deps, { sourceNo, destNo, lock }, ids, signal).catch(() => null);
    if (done) deps.metrics?.objectsCopied.inc({ by: 'forward', outcome: 'copied' }, done.forwarded);
  }
}
