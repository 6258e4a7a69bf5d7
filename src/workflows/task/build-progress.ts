import { defineSignal, setHandler } from '@temporalio/workflow';
import type { BuildProgress } from '../../contract/build-progress.ts';
import { BUILD_PROGRESS } from '../../contract/names.ts';
import { reportedBuild } from './reported.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

export const buildProgressSignal = defineSignal<[progress?: BuildProgress | null]>(BUILD_PROGRESS);

/** Shows in the tracker how far the build of an HNSW index is. */
export function handleBuildProgress(keeper: TrackerKeeper): void {
  setHandler(buildProgressSignal, (progress) => keeper.showBuild(reportedBuild(progress)));
}
