import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Usage } from '../../contract/budget.ts';
import type { CarriedSignals } from '../../contract/hand-over.ts';
import type { LaneAnswer, LaneEntry, LaneRequest } from '../../contract/job-lanes.ts';
import { LIMITS } from '../../contract/limits.ts';
import { ENTER_LANE, JOB_SIGNAL, QUERY, ROLL_BACK, SIGNAL, SLICE_PROGRESS } from '../../contract/names.ts';
import type { ReadShares } from '../../contract/read-shares.ts';
import type { RollBackReport, RollBackRequest } from '../../contract/roll-back.ts';
import type { StepWaits } from '../../contract/task-pace.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { textOrNull } from './text-or-null.ts';

// The optional last argument of a signal names its sender: the API passes the name of the caller's token.
export const trackerQuery = defineQuery<Tracker>(QUERY.tracker);
export const cancelSignal = defineSignal<[reason?: string | null, by?: string]>(SIGNAL.cancel);
export const restartSignal = defineSignal<[options?: { force?: boolean } | null, by?: string]>(SIGNAL.restart);
export const pauseSignal = defineSignal<[by?: string]>(SIGNAL.pause);
export const resumeSignal = defineSignal<[by?: string]>(SIGNAL.resume);
export const ignoreSignal = defineSignal<[reason?: string | null, by?: string]>(SIGNAL.ignore);
export const throttleSignal = defineSignal<[ratePerSecond: number | null, by?: string]>(SIGNAL.throttle);
export const readsSignal = defineSignal<[shares: Partial<ReadShares>, by?: string]>(SIGNAL.reads);
export const approveSignal = defineSignal<[reason?: string | null, by?: string]>(SIGNAL.approve);
export const rejectSignal = defineSignal<[reason?: string | null, by?: string]>(SIGNAL.reject);

/** `waitedMs`: how long the slice has yielded to live traffic in total. `usage`: of the whole reindex. `waits`: of the last step. */
export const sliceProgressSignal =
  defineSignal<[sliceId: string, done: number, waitedMs: number, usage?: Usage, waits?: StepWaits]>(SLICE_PROGRESS);

export const startedSignal = defineSignal<[notice?: { attempt: number; workerId: string }]>(JOB_SIGNAL.started);
/** Carries the input of a newer submission that was ignored in favor of this job, if there is one. */
export const turnSignal = defineSignal<[notice?: { newest?: { input: unknown } }]>(JOB_SIGNAL.turn);
export const leaveSignal = defineSignal<[who?: Pick<LaneEntry, 'taskId' | 'runId'>]>(JOB_SIGNAL.leave);
/** As the signals of these names, but a decision that comes too early or too late fails, with the reason. */
export const approveUpdate = defineUpdate<void, [reason?: string | null, by?: string]>(SIGNAL.approve);
export const rejectUpdate = defineUpdate<void, [reason?: string | null, by?: string]>(SIGNAL.reject);
/** Returns the report; null if the index serves already. */
export const rollBackUpdate = defineUpdate<RollBackReport | null, [RollBackRequest]>(ROLL_BACK);
export const enterUpdate = defineUpdate<LaneAnswer, [LaneRequest]>(ENTER_LANE);

/** Requests received by a running task. */
export interface TaskSignals {
  /** The request to end the task, with the status to end as. */
  stop: CarriedSignals['stop'];
  paused: boolean;
  /** Set by `restart`; a waiting step resets it before it waits. */
  restartRequested: boolean;
  /** Set by `resume`, even if the task was not paused. */
  resumeRequested: boolean;
  /** Called when `stop` is set. */
  onStop: () => void;
}

/** Creates the state of the signals, with the requests that the previous run carried over. */
export function createTaskSignals(carried?: CarriedSignals): TaskSignals {
  const { stop = null, paused = false, restartRequested = false } = carried ?? {};
  return { stop, paused, restartRequested, resumeRequested: false, onStop: () => {} };
}

export interface SignalListener {
  onPause(paused: boolean): void;
  /** Called on `resume` and `restart`, paused or not. */
  onResume(): void | Promise<void>;
  /** Called on every signal, with its sender and reason. Tools can send anything, so both may be of any type. */
  note(call: string, by: unknown, reason?: unknown): void;
}

/**
 * Installs the handlers of the signals common to all tasks. Signals that came before the first workflow task are
 * handled within this call.
 */
export function handleTaskSignals(signals: TaskSignals, listener: SignalListener): void {
  const stopAs = (call: string, status: 'canceled' | 'ignored') => (reason?: unknown, by?: unknown) => {
    listener.note(call, by, reason);
    signals.stop ??= { status, reason: textOrNull(reason, LIMITS.detailChars) ?? undefined };
    signals.onStop();
  };
  const setPaused = (paused: boolean) => {
    if (signals.paused === paused) return;
    signals.paused = paused;
    listener.onPause(paused);
  };
  const pauseAs = (call: string, paused: boolean) => (by?: unknown) => {
    listener.note(call, by);
    if (!paused) signals.resumeRequested = true;
    setPaused(paused);
    return paused ? undefined : listener.onResume();
  };
  setHandler(cancelSignal, stopAs(SIGNAL.cancel, 'canceled'));
  setHandler(ignoreSignal, stopAs(SIGNAL.ignore, 'ignored'));
  setHandler(pauseSignal, pauseAs(SIGNAL.pause, true));
  setHandler(resumeSignal, pauseAs(SIGNAL.resume, false));
  setHandler(restartSignal, (_options, by) => {
    listener.note(SIGNAL.restart, by);
    signals.restartRequested = true;
    setPaused(false);
    return listener.onResume();
  });
}
