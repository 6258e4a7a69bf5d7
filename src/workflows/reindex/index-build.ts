import { isCancellation } from '@temporalio/workflow';
import {
  type BuildChoice,
  IN_BATCHES,
  type IndexBuildChoice,
  MEASURED_SHARE,
  SMALL,
} from '../../contract/index-build.ts';
import type { LockedPair } from '../../contract/reindex-state.ts';
import { embedActivities } from '../activities.ts';
import { errorOf } from '../task/errors.ts';
import type { ReindexRun } from './run.ts';
import { buildIndex } from './steps.ts';

/** Before the copy: builds the empty HNSW index that grows with it, or decides where the copy stops to choose. */
export async function beginIndexBuild(run: ReindexRun): Promise<void> {
  const { settings, state } = run;
  const { indexBuild: asked } = settings;
  if (asked === undefined || state.indexBuild !== undefined) return;
  if (asked === 'during' && state.copiedTo === null) {
    show(run, { chosen: asked, why: AS_ASKED });
    await buildIndex(run, 'grows with the copy');
  } else if (asked === 'after') {
    show(run, { chosen: asked, why: AS_ASKED });
  } else if (asked === 'auto' && state.locked?.isLarge !== true) {
    show(run, SMALL);
  } else if (asked === 'auto' && settings.batchApi) {
    state.indexBuild = { chosen: 'during', stopAt: null, isReached: false, copyMs: 0 };
    show(run, IN_BATCHES);
    await buildIndex(run, 'grows with the copy');
  } else if (asked !== 'during') {
    state.indexBuild = { chosen: null, stopAt: MEASURED_SHARE, isReached: false, copyMs: 0 };
    show(run, { why: 'the speed of the first objects decides' });
  }
}

const AS_ASKED = 'as asked';

/** Where the copy has stopped: chooses when to build, and builds on what is there, or goes on. */
export async function buildAtPoint(run: ReindexRun): Promise<void> {
  const { indexBuild } = run.state;
  if (!indexBuild?.isReached) return;
  indexBuild.isReached = false;
  const choice = indexBuild.chosen === null ? await choose(run) : null;
  indexBuild.chosen ??= choice?.chosen ?? null;
  const share = choice?.chosen === 'split' ? (choice.share ?? 0) : 0;
  const isLater = share > shareOfDone(run);
  indexBuild.stopAt = isLater ? share : null;
  if (indexBuild.chosen !== 'after' && !isLater) await buildIndex(run, 'grows with the rest of the copy');
}

/** Between two steps of a copy by batches, which does not stop by itself: builds if it has come to the point. */
export async function buildBetweenBatches(run: ReindexRun): Promise<void> {
  const { indexBuild, batches } = run.state;
  const share = shareOfDone(run);
  if (!indexBuild || !batches || indexBuild.stopAt === null || share < indexBuild.stopAt || share >= 1) return;
  indexBuild.copyMs = Date.now() - batches.sinceMs;
  indexBuild.isReached = true;
  await buildAtPoint(run);
}

/** After the copy: nothing is left to choose. */
export function endIndexBuild(run: ReindexRun): void {
  const { indexBuild } = run.state;
  if (!indexBuild) return;
  indexBuild.stopAt = null;
  if (indexBuild.chosen !== null) return;
  indexBuild.chosen = 'after';
  show(run, { chosen: 'after', why: 'everything was copied before there was a choice' });
}

function shareOfDone({ task }: ReindexRun): number {
  const { done, total } = task.tracker.progress;
  return total > 0 ? done / total : 1;
}

/** Chooses by the measured speed. What cannot be measured fails nothing: the index is built after the copy. */
async function choose(run: ReindexRun): Promise<IndexBuildChoice> {
  const { task, settings, state } = run;
  const { destNo } = state.locked as LockedPair;
  const { done, total } = task.tracker.progress;
  const asked = settings.indexBuild === 'split' ? 'split' : 'auto';
  const request = { destNo, asked, total, copied: done, copyMs: state.indexBuild?.copyMs ?? 0 } as const;
  const choice = await embedActivities()
    .chooseIndexBuild(request)
    .catch((error: unknown): IndexBuildChoice => {
      if (isCancellation(error)) throw error;
      const why = `its time could not be estimated: ${errorOf(error).message}`;
      return { chosen: 'after', why, forecast: null, share: null, warning: null };
    });
  show(run, choice);
  return choice;
}

/** Adds no command: the next report carries it to lists. */
function show(
  { task, settings }: ReindexRun,
  { chosen, why, forecast = null, ...more }: Partial<IndexBuildChoice> & Pick<BuildChoice, 'why'>,
): void {
  const strategy = { asked: settings.indexBuild ?? 'after', chosen: chosen ?? null, why, forecast, ...more };
  task.tracker.data.indexStrategy = strategy;
}
