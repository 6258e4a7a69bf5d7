import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { ENTER_LANE, JOB_SIGNAL, QUERY, SIGNAL } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { LaneAnswer, LaneEntry, LaneRequest } from '../contract/workflow-inputs.ts';

export const trackerQuery = defineQuery<Tracker>(QUERY.tracker);
export const cancelSignal = defineSignal<[reason?: string]>(SIGNAL.cancel);
export const restartSignal = defineSignal<[options?: { force?: boolean }]>(SIGNAL.restart);
export const pauseSignal = defineSignal(SIGNAL.pause);
export const resumeSignal = defineSignal(SIGNAL.resume);
export const ignoreSignal = defineSignal<[reason?: string]>(SIGNAL.ignore);
export const throttleSignal = defineSignal<[ratePerSecond: number | null]>(SIGNAL.throttle);

export const startedSignal = defineSignal<[{ attempt: number; workerId: string }]>(JOB_SIGNAL.started);
/** With the input of a newer submission that was ignored for it, if there is one. */
export const turnSignal = defineSignal<[{ newest?: { input: unknown } }]>(JOB_SIGNAL.turn);
export const leaveSignal = defineSignal<[Pick<LaneEntry, 'taskId' | 'runId'>]>(JOB_SIGNAL.leave);
export const enterUpdate = defineUpdate<LaneAnswer, [LaneRequest]>(ENTER_LANE);

/** What people have asked of a running task. */
export interface TaskSignals {
  /** Asked to stop for good, and as what. */
  stop: { status: 'canceled' | 'ignored'; reason: string | undefined } | null;
  paused: boolean;
  /** Set by `restart`; whoever waits resets it before waiting. */
  restartRequested: boolean;
  /** Called when `stop` is set. */
  onStop: () => void;
}

/** Nothing has been asked yet. */
export function createTaskSignals(): TaskSignals {
  return { stop: null, paused: false, restartRequested: false, onStop: () => {} };
}

/**
 * Installs the handlers of the signals that every task understands. Signals that came before the first workflow task
 * are handled within this call.
 */
export function handleTaskSignals(signals: TaskSignals, onPause: (paused: boolean) => void): void {
  const stopAs = (status: 'canceled' | 'ignored') => (reason?: unknown) => {
    signals.stop ??= { status, reason: typeof reason === 'string' ? reason : undefined };
    signals.onStop();
  };
  const pause = (paused: boolean) => () => {
    if (signals.paused === paused) return;
    signals.paused = paused;
    onPause(paused);
  };
  setHandler(cancelSignal, stopAs('canceled'));
  setHandler(ignoreSignal, stopAs('ignored'));
  setHandler(pauseSignal, pause(true));
  setHandler(resumeSignal, pause(false));
  setHandler(restartSignal, () => {
    signals.restartRequested = true;
    pause(false)();
  });
}
