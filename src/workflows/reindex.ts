import { continueAsNew, isCancellation, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { PRIORITY } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import { HAND_OVER_VERSION, type HandOver, type ReindexInput, type ReindexState } from '../contract/workflow-inputs.ts';
import { admit } from './admit.ts';
import { deleteIndex } from './delete-index.ts';
import { GoesOn } from './history.ts';
import { keepLock } from './lock-keeper.ts';
import { handOver, receive } from './receive.ts';
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
  retireIdOf,
  switchOver,
  verify,
} from './reindex-steps.ts';
import { runTask } from './tracker.ts';

/**
 * Rebuilds the source into the destination while writes go on, and switches the alias in one step: "bring the
 * destination's versions up to the source's" (design §3). Whatever happens before the cut-over, the source is complete
 * and serves.
 */
export async function reindex(first: ReindexInput, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('reindex', first, second);
  const { previous } = given;
  const state: ReindexState = given.reindex ?? {
    locked: null,
    copiedTo: null,
    copied: false,
    mark: 0,
    ratePerSecond: input.ratePerSecond ?? null,
    cutOver: null,
  };
  const slices = createSliceSteering(state.ratePerSecond);
  let settings: ReindexSettings = { ...DEFAULTS, ...input };
  let admitted = given.reindex !== undefined;
  let showRate = () => {};

  const spec = {
    type: 'reindex',
    indexes: [input.source, input.dest],
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    goOn: (carried: HandOver['previous']) =>
      continueAsNew<typeof reindex>(
        admitted ? settings : (raw as ReindexInput),
        handOver({ previous: carried, reindex: admitted || state.retry ? state : undefined }),
      ),
    onPause: (paused: boolean) => void (paused ? slices.pause() : slices.resume()),
    async onThrottle(ratePerSecond: number | null) {
      state.ratePerSecond = ratePerSecond;
      showRate();
      await slices.throttle(ratePerSecond);
    },
  } as const;
  return runTask(spec, async (task) => {
    showRate = () => {
      if (state.ratePerSecond === null) delete task.tracker.data.ratePerSecond;
      else task.tracker.data.ratePerSecond = state.ratePerSecond;
    };
    showRate();
    if (previous?.onlyFailed) return retryFailed(task, input.dest, state);
    if (!admitted) {
      const checked = await admit(task, 'reindex', raw, previous);
      settings = { ...settings, ...checked.input };
      admitted = true;
    }
    const run: ReindexRun = { task, settings, state, slices };
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
    const isContinued = state.locked !== null;
    const locked = state.locked ?? (await lockIndexes(run));
    await keepLock(task, locked.lock, settings.lockSeconds, async (stopRenewing) => {
      // One that goes on may be paused: it asks for nothing before it is resumed.
      if (!isContinued) await prepare(run);
      if (!state.copied) {
        while (!(await copySlices(task, { ...settings, locked, state }, slices))) task.continueIfLong();
        await buildIndex(run);
        state.copied = true;
      }
      await reconcile(run);
      await verify(run);
      await switchOver(run, stopRenewing);
    });
  } catch (error) {
    if (error instanceof GoesOn) throw error;
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
    workflowId: retireIdOf(task),
    staticSummary: `delete ${cutOver.source}, replaced by ${settings.dest}`,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    priority: { priorityKey: PRIORITY.copy },
    args: [
      { index: cutOver.source, after: later?.after },
      {
        v: HAND_OVER_VERSION,
        retired: {
          parentId: task.id,
          indexNo: cutOver.sourceNo,
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
      },
    ],
  });
}
