import {
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { PRIORITY } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { ReindexInput, ReindexState } from '../contract/workflow-inputs.ts';
import { control } from './activities.ts';
import { deleteIndex } from './delete-index.ts';
import { bodyOf } from './input.ts';
import { keepLock } from './lock-keeper.ts';
import { copySlices, createSliceSteering } from './reindex-copy.ts';
import { retryFailed } from './reindex-retry.ts';
import {
  buildIndex,
  DEFAULTS,
  giveBack,
  hasSwitched,
  lockIndexes,
  prepare,
  type ReindexRun,
  type ReindexSettings,
  reconcile,
  switchOver,
  verify,
} from './reindex-steps.ts';
import { runTask } from './tracker.ts';

/**
 * Rebuilds the source into the destination while writes go on, and switches the alias in one step: "bring the
 * destination's versions up to the source's" (design §3). Whatever happens before the cut-over, the source is complete
 * and serves.
 */
export async function reindex(given: ReindexInput): Promise<Tracker> {
  const input = bodyOf(given);
  const state: ReindexState = input.state ?? {
    locked: null,
    copiedTo: null,
    copied: false,
    mark: 0,
    ratePerSecond: input.ratePerSecond ?? null,
    cutOver: null,
  };
  const slices = createSliceSteering(state.ratePerSecond);
  let settings: ReindexSettings = { ...DEFAULTS, ...input };
  let admitted = input.state !== undefined;

  const spec = {
    type: 'reindex',
    indexes: [input.source, input.dest],
    maxAttempts: input.maxAttempts,
    previous: input.previous,
    onPause: (paused: boolean) => void (paused ? slices.pause() : slices.resume()),
    async onThrottle(ratePerSecond: number | null) {
      state.ratePerSecond = ratePerSecond;
      await slices.throttle(ratePerSecond);
    },
  } as const;
  return runTask(spec, async (task) => {
    if (input.previous?.onlyFailed) return retryFailed(task, input.dest);
    if (!admitted) {
      const { state: _state, previous: _previous, ...body } = input;
      const checked = await control.admit({ taskId: task.id, type: 'reindex', input: body, version: null });
      settings = { ...settings, ...checked.input };
      admitted = true;
    }
    const run: ReindexRun = {
      task,
      settings,
      state,
      slices,
      async startAnew() {
        if (!workflowInfo().continueAsNewSuggested) return;
        await task.continueAs((previous) => continueAsNew<typeof reindex>({ ...settings, state, previous }));
      },
    };
    if (state.cutOver === null) await rebuild(run);
    const retired = await retireUnlessCanceled(run);
    const alias = state.cutOver?.alias;
    const complete = alias ? `${settings.dest} is complete and serves as ${alias}` : `${settings.dest} is complete`;
    task.setDetail(
      retired ? complete : `${complete}; the cancel came after the switch, ${state.cutOver?.source} is kept`,
    );
  });
}

/** Steps 1 to 7. The lock is released whatever happens, unless the run goes on as a new one. */
async function rebuild(run: ReindexRun): Promise<void> {
  const { task, settings, state, slices } = run;
  try {
    const locked = state.locked ?? (await lockIndexes(run));
    await keepLock(task, locked.lock, settings.lockSeconds, async (stopRenewing) => {
      await prepare(run);
      if (!state.copied) {
        while (!(await copySlices(task, { ...settings, locked, state }, slices))) await run.startAnew();
        await buildIndex(run);
        state.copied = true;
      }
      await reconcile(run);
      await verify(run);
      await switchOver(run, stopRenewing);
    });
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const { locked } = state;
    if (await hasSwitched(run)) return;
    if (locked && state.cutOver === null) await giveBack(locked.lock);
    state.locked = null;
    state.copied = false;
    throw error;
  }
}

/** A cancel that comes after the switch cannot undo it: the task is done, and the source is kept. */
async function retireUnlessCanceled(run: ReindexRun): Promise<boolean> {
  try {
    await retire(run);
    return true;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const mirrorLock = run.state.cutOver?.mirrorLock;
    if (mirrorLock) await giveBack(mirrorLock);
    return false;
  }
}

/** Step 8: deletes the source now or later, as a task of its own that can be watched and canceled; or keeps it. */
async function retire({ task, settings, state }: ReindexRun): Promise<void> {
  const { retire: when, lockSeconds } = settings;
  const { cutOver } = state;
  if (when === 'never' || cutOver === null) return;
  const later = when === 'now' ? null : when;
  await startChild(deleteIndex, {
    workflowId: `${task.id}/retire/${task.tracker.attempts}`,
    staticSummary: `delete ${cutOver.source}, replaced by ${settings.dest}`,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    priority: { priorityKey: PRIORITY.copy },
    args: [
      {
        index: cutOver.source,
        indexNo: cutOver.sourceNo,
        parentId: task.id,
        after: later?.after,
        mirror:
          cutOver.mirrorLock === null
            ? undefined
            : {
                lock: cutOver.mirrorLock,
                lockSeconds,
                // The roles are swapped: what is written to the new index goes back to the old one.
                sourceNo: cutOver.destNo,
                destNo: cutOver.sourceNo,
                mark: cutOver.mark,
              },
      },
    ],
  });
}
