import type { ReindexState } from '../../contract/reindex-state.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { ReindexRun } from './run.ts';

/** Returns the share of what is left that is copied before the copy stops; undefined if it does not stop. */
export function shareToCopy(
  { indexBuild }: ReindexState,
  { done, total }: Pick<Tracker['progress'], 'done' | 'total'>,
): number | undefined {
  const stopAt = indexBuild?.stopAt ?? null;
  if (stopAt === null) return undefined;
  const doneShare = total > 0 ? Math.min(1, done / total) : 0;
  return doneShare < 1 ? Math.max(0, stopAt - doneShare) / (1 - doneShare) : 0;
}

/** Begins to measure a stretch of the copy: pauses do not count. */
export function beginStretch({ state, slices }: ReindexRun): { end(found: { isReached: boolean }): void } {
  const nowMs = () => Date.now() - slices.pausedMs();
  const startMs = nowMs();
  return {
    end({ isReached }) {
      const { indexBuild } = state;
      if (!indexBuild) return;
      indexBuild.copyMs += nowMs() - startMs;
      indexBuild.isReached = isReached;
    },
  };
}
