import type { TaskStatus } from './status.ts';

/**
 * What each steering call does to a task in each state, as data: the clients act by this table, the documentation shows
 * it, and a test goes through all of it.
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

/** `answer`: the type of the error; null when the tracker is answered. */
export const EFFECTS = {
  stops: { means: 'it stops and is `canceled`; the answer comes when it has, after 10 s at most', answer: null },
  isSetAside: { means: 'it stops and is `ignored`', answer: null },
  pauses: { means: 'it is held: `paused` once it has come to the end of what it is doing', answer: null },
  resumes: { means: 'it is at what it was at before', answer: null },
  goesOn: { means: 'it goes on at once', answer: null },
  looksAgain: {
    means: 'a reindex that another one holds up looks at once whether that has ended; else nothing',
    answer: null,
  },
  changesRate: { means: 'a reindex copies with the new rate; other types are refused: `InvalidInput`', answer: null },
  runsAgain: { means: 'a new run, same id, input and version; attempts are counted on', answer: null },
  nothing: { means: 'nothing; the answer is the tracker as it is', answer: null },
  tooLate: { means: 'nothing; the answer is the error `TaskClosed`', answer: 'TaskClosed' },
} as const;
export type SteeringEffect = keyof typeof EFFECTS;

/** A status, where one status can mean two things: a failed task may be backing off, or have ended. */
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
const HELD_BACK: Row = { ...OPEN, restart: 'goesOn', 'restart with force': 'goesOn' };
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

/** A pending task does what is asked of it as soon as a worker takes it up. */
export const STEERING: Record<TaskState, Row> = {
  pending: OPEN,
  processing: OPEN,
  waiting: { ...HELD_BACK, resume: 'looksAgain' },
  paused: { ...HELD_BACK, pause: 'nothing', resume: 'resumes' },
  'failed, backing off': HELD_BACK,
  'failed, ended': ENDED,
  exhausted: GIVEN_UP,
  done: ENDED,
  canceled: ENDED,
  refused: ENDED,
  ignored: GIVEN_UP,
};

/** What a call does to a task with this status, whose workflow has ended or not. */
export function effectOf(status: TaskStatus, ended: boolean, call: SteeringCall): SteeringEffect {
  const state = status === 'failed' ? (ended ? 'failed, ended' : 'failed, backing off') : status;
  return STEERING[state][call];
}
