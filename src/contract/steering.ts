import type { TaskStatus } from './status.ts';

/**
 * What each steering call does to a task in each state, as data: the clients follow this table, the documentation shows
 * it, and a test covers every cell.
 */

export const STEERING_CALLS = [
  'cancel',
  'restart',
  'restart with force',
  'pause',
  'resume',
  'ignore',
  'throttle',
] as const;
export type SteeringCall = (typeof STEERING_CALLS)[number];

/** `answer`: the type of the error; null when the call returns the tracker. */
export const EFFECTS = {
  stops: {
    means: 'it stops and is `canceled`; the call returns when it has stopped, after at most 10 s',
    answer: null,
  },
  isSetAside: { means: 'it stops and is `ignored`', answer: null },
  pauses: { means: 'it becomes `paused` when its current step ends', answer: null },
  resumes: { means: 'it returns to its previous status', answer: null },
  continues: {
    means:
      'it continues immediately, unless it waits for an approval or for its turn in a lane of jobs, or has rolled back',
    answer: null,
  },
  checksAgain: {
    means: 'a reindex blocked by another one checks immediately whether that one has ended; otherwise nothing happens',
    answer: null,
  },
  changesRate: { means: 'a reindex copies at the new rate; other types are refused with `InvalidInput`', answer: null },
  runsAgain: { means: 'a new run with the same id, input and version; the attempt count continues', answer: null },
  nothing: { means: 'nothing happens; the call returns the tracker unchanged', answer: null },
  tooLate: { means: 'nothing happens; the call returns the error `TaskClosed`', answer: 'TaskClosed' },
} as const;
export type SteeringEffect = keyof typeof EFFECTS;

/** A status, with `failed` split in two: the task may be backing off, or have ended. */
export type TaskState = Exclude<TaskStatus, 'failed'> | 'failed, backing off' | 'failed, ended';

type Row = Record<SteeringCall, SteeringEffect>;

const OPEN: Row = {
  cancel: 'stops',
  restart: 'nothing',
  'restart with force': 'nothing',
  pause: 'pauses',
  resume: 'nothing',
  ignore: 'isSetAside',
  throttle: 'changesRate',
};
const HELD_BACK: Row = { ...OPEN, restart: 'continues', 'restart with force': 'continues' };
const ENDED: Row = {
  cancel: 'nothing',
  restart: 'runsAgain',
  'restart with force': 'runsAgain',
  pause: 'tooLate',
  resume: 'tooLate',
  ignore: 'tooLate',
  throttle: 'tooLate',
};
const GIVEN_UP: Row = { ...ENDED, restart: 'tooLate' };

/** The table; a pending task obeys a call when a worker starts it. */
export const STEERING: Record<TaskState, Row> = {
  pending: OPEN,
  processing: OPEN,
  waiting: { ...HELD_BACK, resume: 'checksAgain' },
  paused: { ...HELD_BACK, pause: 'nothing', resume: 'resumes' },
  'failed, backing off': HELD_BACK,
  'failed, ended': ENDED,
  exhausted: GIVEN_UP,
  done: ENDED,
  canceled: ENDED,
  refused: ENDED,
  ignored: GIVEN_UP,
};

/** Returns the effect of a call on a task with this status; `ended` is whether its workflow has ended. */
export function effectOf(status: TaskStatus, ended: boolean, call: SteeringCall): SteeringEffect {
  const state = status === 'failed' ? (ended ? 'failed, ended' : 'failed, backing off') : status;
  return STEERING[state][call];
}
