import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { ENTER_LANE, JOB_SIGNAL, QUERY, SIGNAL, SLICE_PROGRESS } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { CarriedSignals, LaneAnswer, LaneEntry, LaneRequest } from '../contract/workflow-inputs.ts';

/** Each signal may tell last who sends it: the API gives the name of the caller's token. */
export const trackerQuery = defineQuery<Tracker>(QUERY.tracker);
export const cancelSignal = defineSignal<[reason?: string | null, by?: string]>(SIGNAL.cancel);
export const restartSignal = defineSignal<[options?: { force?: boolean } | null, by?: string]>(SIGNAL.restart);
export const pauseSignal = defineSignal<[by?: string]>(SIGNAL.pause);
export const resumeSignal = defineSignal<[by?: string]>(SIGNAL.resume);
export const ignoreSignal = defineSignal<[reason?: string | null, by?: string]>(SIGNAL.ignore);
export const throttleSignal = defineSignal<[ratePerSecond: number | null, by?: string]>(SIGNAL.throttle);

/** `waitedMs`: in all, how long the slice left room for live work. */
export const sliceProgressSignal = defineSignal<[sliceId: string, done: number, waitedMs: number]>(SLICE_PROGRESS);

export const startedSignal = defineSignal<[told?: { attempt: number; workerId: string }]>(JOB_SIGNAL.started);
/** With the input of a newer submission that was ignored for it, if there is one. */
export const turnSignal = defineSignal<[told?: { newest?: { input: unknown } }]>(JOB_SIGNAL.turn);
export const leaveSignal = defineSignal<[who?: Pick<LaneEntry, 'taskId' | 'runId'>]>(JOB_SIGNAL.leave);
export const enterUpdate = defineUpdate<LaneAnswer, [LaneRequest]>(ENTER_LANE);

/** What people have asked of a running task. */
export interface TaskSignals {
  /** Asked to stop for good, and as what. */
  stop: CarriedSignals['stop'];
  paused: boolean;
  /** Set by `restart`; whoever waits resets it before waiting. */
  restartRequested: boolean;
  /** Set by `resume`, also where nothing was paused. */
  resumeRequested: boolean;
  /** Called when `stop` is set. */
  onStop: () => void;
}

/** What was asked of the run that goes on as this one; else nothing has been asked yet. */
export function createTaskSignals(carried?: CarriedSignals): TaskSignals {
  const { stop = null, paused = false, restartRequested = false } = carried ?? {};
  return { stop, paused, restartRequested, resumeRequested: false, onStop: () => {} };
}

export interface SignalListener {
  onPause(paused: boolean): void;
  /** `resume` or `restart` has come, paused or not. */
  onResume(): void | Promise<void>;
  /** Any signal has come: who sent which, and why. What tools send is taken as it comes, so each may be of any type. */
  note(call: string, by: unknown, reason?: unknown): void;
}

/**
 * Installs the handlers of the signals that every task understands. Signals that came before the first workflow task
 * are handled within this call.
 */
export function handleTaskSignals(signals: TaskSignals, listener: SignalListener): void {
  const stopAs = (call: string, status: 'canceled' | 'ignored') => (reason?: unknown, by?: unknown) => {
    listener.note(call, by, reason);
    signals.stop ??= { status, reason: typeof reason === 'string' ? reason : undefined };
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
