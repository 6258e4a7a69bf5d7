import { defineSignal, setHandler } from '@temporalio/workflow';
import type { BuildProgress } from '../../contract/build-progress.ts';
import { BUILD_PROGRESS } from '../../contract/names.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

export const buildProgressSignal = defineSignal<[progress?: BuildProgress | null]>(BUILD_PROGRESS);

/** Shows in the tracker how far the build of an HNSW index is. */
export function handleBuildProgress(keeper: TrackerKeeper): void {
  setHandler(buildProgressSignal, (progress) => keeper.showBuild(isProgress(progress) ? progress : null));
}

/** Tools can send anything. */
function isProgress(sent: unknown): sent is BuildProgress {
  const { phase, percent, etaSeconds } = (sent ?? {}) as Partial<BuildProgress>;
  return typeof phase === 'string' && [percent, etaSeconds].every((value) => value === null || Number.isFinite(value));
}
