import { continueAsNew, isCancellation } from '@temporalio/workflow';
import type { Decision } from '../../contract/approval.ts';
import { durationMs, durationText } from '../../contract/durations.ts';
import type { HandOver } from '../../contract/hand-over.ts';
import type { MirrorState, ReindexState, WatchState } from '../../contract/reindex-state.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { MIN_SEARCHES } from '../../contract/watch.ts';
import type { ReindexInput } from '../../contract/workflow-inputs.ts';
import { admit } from '../task/admit.ts';
import { RefusedError } from '../task/errors.ts';
import { ContinuesAsNew } from '../task/history.ts';
import { BATCHES_FAILED } from '../task/hold.ts';
import { handOver, receive } from '../task/receive.ts';
import { runTask } from '../task/run-task.ts';
import { isName } from '../task/shapes.ts';
import type { Hold, TaskContext } from '../task/types.ts';
import { approval, decide, deleteRejected, REJECTED, showApproval } from './approval.ts';
import { copyByBatches, endBatches } from './batches.ts';
import { copyAll } from './copy.ts';
import { holdLock } from './hold-lock.ts';
import { beginIndexBuild, buildAtPoint, buildBetweenBatches, endIndexBuild } from './index-build.ts';
import { lock } from './lock.ts';
import { createReads } from './reads.ts';
import { retryFailed } from './retry-failed.ts';
import { DEFAULTS, type ReindexRun, type ReindexSettings } from './run.ts';
import { createSliceSteering } from './slice-steering.ts';
import { startDeletion } from './start-deletion.ts';
import {
  buildIndex,
  cutOver,
  leave,
  prepare,
  reconcile,
  releaseLock,
  retireIdOf,
  verify,
  wasCutOver,
} from './steps.ts';

/**
 * Rebuilds the source into the destination while writes continue, and switches the alias in one step: "bring the
 * destination's versions up to the source's" (docs/protocol.md). Until the cut-over, the source is complete and serves.
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
  let showDecision = () => {};
  const reads = createReads(() => settings, state);

  const spec = {
    type: 'reindex',
    indexes: [input.source, input.dest],
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<typeof reindex>(
        admitted ? settings : (raw as ReindexInput),
        handOver({ previous: carried, reindex: admitted || state.retry ? state : undefined }),
      ),
    onPause: (paused: boolean) => void (paused ? slices.pause() : slices.resume()),
    onHold({ type }: Hold) {
      if (type === BATCHES_FAILED.type) state.copyAgain ??= 'later';
    },
    onDecision(kind: Decision, by: unknown, reason: unknown) {
      const problem = decide(state, kind, by, reason);
      showDecision();
      return problem;
    },
    async onThrottle(ratePerSecond: number | null) {
      state.ratePerSecond = ratePerSecond;
      showRate();
      await slices.throttle(ratePerSecond);
    },
    onEnd: (task: TaskContext) => endBatches({ task, state }),
    reads,
  } as const;
  return runTask(spec, async (task) => {
    if (given.by !== undefined) task.tracker.data.startedBy = given.by;
    showRate = () => {
      if (state.ratePerSecond === null) delete task.tracker.data.ratePerSecond;
      else task.tracker.data.ratePerSecond = state.ratePerSecond;
    };
    showRate();
    showDecision = () => showApproval({ task, state });
    showDecision();
    if (previous?.onlyFailed) return retryFailed(task, input.dest, state);
    // Also one that is refused, or that waits, says what it is about; the lock replaces an alias by its index.
    if (isName(input.source)) task.tracker.data.source ??= input.source;
    if (isName(input.dest)) task.tracker.data.dest ??= input.dest;
    if (!admitted) {
      const checked = await admit(task, 'reindex', raw, previous);
      const { sourceNo, ...admittedInput } = checked.input as Partial<ReindexInput> & { sourceNo?: number | null };
      settings = { ...settings, ...admittedInput };
      if (sourceNo !== undefined) state.sourceNo = sourceNo;
      admitted = true;
    }
    reads.show(task);
    const run: ReindexRun = { task, settings, state, slices, reads };
    if (state.cutOver === null) await rebuild(run);
    reads.close();
    const retired = await retireUnlessCanceled(run);
    const alias = state.cutOver?.alias;
    const complete = alias ? `${settings.dest} is complete and serves as ${alias}` : `${settings.dest} is complete`;
    task.setDetail(
      retired ? complete : `${complete}; the cancel came after the switch, ${state.cutOver?.source} is kept`,
    );
  });
}

/** Runs steps 1 to 7. Always releases the lock, unless the task continues as a new run. */
async function rebuild(run: ReindexRun): Promise<void> {
  const { task, settings, state } = run;
  try {
    const isContinued = state.locked !== null;
    const locked = state.locked ?? (await lock(run));
    if (isContinued) task.setLock({ lock: locked.lock, lockTime: task.tracker.lockTime ?? '', lockExpireTime: null });
    await holdLock(task, locked.lock, settings.lockSeconds, async (stopRenewing) => {
      // A continued run may be paused: it does not call the model before it is resumed.
      if (!isContinued) await prepare(run);
      if (!state.copied) {
        await beginIndexBuild(run);
        if (settings.batchApi) await copyByBatches(run, () => buildBetweenBatches(run));
        await copyAll(run, () => buildAtPoint(run));
        endIndexBuild(run);
        await buildIndex(run);
        state.copied = true;
      }
      await reconcile(run);
      await verify(run);
      if (await approval(run)) {
        await reconcile(run);
        await verify(run);
      }
      await cutOver(run, stopRenewing);
    });
  } catch (error) {
    if (error instanceof ContinuesAsNew) throw error;
    const { locked } = state;
    if (await wasCutOver(run)) return;
    leave(task.tracker);
    if (locked && state.cutOver === null) await releaseLock(locked.lock);
    state.locked = null;
    state.copied = false;
    // The next attempt has another lock, and asks again when its index is complete.
    if (state.approval?.decision === null) {
      delete state.approval;
      showApproval(run);
    }
    run.reads.close();
    if (locked && error instanceof RefusedError && error.reason === REJECTED) await deleteRejected(run, locked);
    throw error;
  }
}

/** Handles a cancel after the switch, which it cannot undo: the task ends as done, and the source is kept. */
async function retireUnlessCanceled(run: ReindexRun): Promise<boolean> {
  try {
    await retire(run);
    return true;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const mirrorLock = run.state.cutOver?.mirrorLock;
    if (mirrorLock) await releaseLock(mirrorLock);
    return false;
  }
}

/** Step 8: deletes the source now or later, as a separate task that can be watched and canceled, or keeps it. */
async function retire({ task, settings, state, reads }: ReindexRun): Promise<void> {
  const { retire: when } = settings;
  const { cutOver } = state;
  if (when === 'never' || cutOver === null) return;
  const { source, sourceNo, mirrorLock } = cutOver;
  await startDeletion(task, {
    id: retireIdOf(task),
    summary: `delete ${source}, replaced by ${settings.dest}`,
    index: source,
    after: when === 'now' ? undefined : when.after,
    retired: {
      indexNo: sourceNo,
      mirror: mirrorLock === null ? undefined : mirrorOf(cutOver, mirrorLock, settings, reads.shadow()),
    },
  });
  task.tracker.data.retireTask = retireIdOf(task);
}

/** The roles are swapped: writes to the new index are copied to the old one, and a shadow searches the old one. */
function mirrorOf(
  { sourceNo, destNo, mark, alias }: NonNullable<ReindexState['cutOver']>,
  lock: string,
  { lockSeconds, watch }: ReindexSettings,
  shadow: number,
): MirrorState {
  const reads = shadow > 0 ? { shadow, canary: 0, since: new Date().toISOString() } : undefined;
  const kept = alias === null ? {} : { alias, ...(reads && { reads }), ...(watch && { watch: watchFrom(watch) }) };
  return { lock, lockSeconds, sourceNo: destNo, destNo: sourceNo, mark, ...kept };
}

function watchFrom({ for: time, rollBackIf }: NonNullable<ReindexSettings['watch']>): WatchState {
  const forMs = durationMs(time);
  return {
    untilMs: Date.now() + forMs,
    for: durationText(forMs),
    rollBackIf: { ...rollBackIf, minSearches: rollBackIf.minSearches ?? MIN_SEARCHES },
  };
}
