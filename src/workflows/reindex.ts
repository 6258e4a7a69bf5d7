import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  ParentClosePolicy,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { PRIORITY } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { ReindexInput, ReindexState } from '../contract/workflow-inputs.ts';
import { control, longControl } from './activities.ts';
import { deleteIndex } from './delete-index.ts';
import { keepLock } from './lock-keeper.ts';
import { copySlices, createSliceSteering } from './reindex-copy.ts';
import {
  buildIndex,
  DEFAULTS,
  lockIndexes,
  prepare,
  type ReindexRun,
  type ReindexSettings,
  reconcile,
  switchOver,
  verify,
} from './reindex-steps.ts';
import { throttleSignal } from './signals.ts';
import { runTask } from './tracker.ts';

/**
 * Rebuilds the source into the destination while writes go on, and switches the alias in one step: "bring the
 * destination's versions up to the source's" (design §3). Whatever happens before the cut-over, the source is complete
 * and serves.
 */
export async function reindex(input: ReindexInput): Promise<Tracker> {
  const state: ReindexState = input.state ?? {
    locked: null,
    copied: false,
    mark: 0,
    ratePerSecond: input.ratePerSecond ?? null,
    cutOver: null,
  };
  const slices = createSliceSteering(state.ratePerSecond);
  setHandler(throttleSignal, async (ratePerSecond) => {
    state.ratePerSecond = ratePerSecond;
    await slices.throttle(ratePerSecond);
  });
  let settings: ReindexSettings = { ...DEFAULTS, ...input };
  let admitted = input.state !== undefined;

  const spec = {
    type: 'reindex',
    indexes: [input.source, input.dest],
    maxAttempts: input.maxAttempts,
    previous: input.previous,
    onPause: (paused: boolean) => void (paused ? slices.pause() : slices.resume()),
  } as const;
  return runTask(spec, async (task) => {
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
        await continueAsNew<typeof reindex>({ ...settings, state, previous: { ...task.tracker, sameAttempt: true } });
      },
    };
    if (state.cutOver === null) await rebuild(run);
    await retire(run);
    const alias = state.cutOver?.alias;
    task.setDetail(alias ? `${settings.dest} is complete and serves as ${alias}` : `${settings.dest} is complete`);
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
        await copySlices(task, { locked, ...settings }, slices);
        await buildIndex(run);
        state.copied = true;
      }
      await reconcile(run);
      await verify(run);
      await switchOver(run, stopRenewing);
    });
  } catch (error) {
    if (!(error instanceof ContinueAsNew)) await release(state);
    throw error;
  }
}

async function release(state: ReindexState): Promise<void> {
  const { locked } = state;
  if (!locked) return;
  await CancellationScope.nonCancellable(() => longControl.releaseLock(locked.lock));
  state.locked = null;
  state.copied = false;
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
