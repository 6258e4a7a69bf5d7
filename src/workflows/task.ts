import type { TaskType, Tracker } from '../contract/tasks.ts';
import type { Carried } from '../contract/workflow-inputs.ts';
import type { Hold } from './holding.ts';

export interface TaskSpec {
  type: TaskType;
  /** Names of the indexes it is about, for lists. */
  indexes: readonly string[];
  /** Of a job: that of its definition. */
  jobName?: string;
  parentId?: string | null;
  maxAttempts?: number | undefined;
  previous?: Carried | undefined;
  /** What is wrong with its input: it fails without an attempt. */
  refusal?: Error | undefined;
  /** Seconds before the attempt that follows this many; the usual ones if not given. */
  backOff?: (attempts: number) => number;
  /** Short tasks publish only how they ended: fewer events of history. */
  quiet?: boolean;
  /** Passes a pause or its end on to what runs on the task's behalf. */
  onPause?: (paused: boolean) => void;
  /** Goes on as a new run: calls `continueAsNew` with where the task is. Without it a task has one run. */
  goOn?: (previous: Carried) => Promise<never>;
  /** Where the task has a rate: sets it; null for none. */
  onThrottle?: (ratePerSecond: number | null) => void | Promise<void>;
}

/** What the steps of a task see of its tracker. */
export interface Task {
  readonly id: string;
  readonly tracker: Tracker;
  /** True in attempts after the first. */
  readonly triedBefore: boolean;
  setDetail(detail: string): void;
  /** Adds to counters in `data` and publishes the progress now and then. */
  report(change: { done?: number; total?: number; failed?: number; data?: Tracker['data'] }): void;
  /** Publishes that the task is processing although it was to be quiet. */
  speakUp(): void;
  /** Pauses the task until someone resumes it; what it was at is shown with the reason. */
  hold(why: Hold): void;
  /** Between two batches: stays here while the task is paused. */
  checkpoint(): Promise<void>;
  /** Status `waiting` for this long, or until someone sends `restart`: then it returns true. */
  waitFor(detail: string, seconds: number): Promise<boolean>;
  /** Status `waiting` until it is so, at most this long; `restart` changes nothing. False when the time was out. */
  waitUntil(detail: string, isSo: () => boolean, seconds: number): Promise<boolean>;
  /** Whether the history has grown so long that the task is to go on as a new run. */
  isLong(): boolean;
  /** Where it has, the task goes on as a new run from here: then this throws. */
  continueIfLong(): void;
  /** Whether `restart` was sent since this was last asked, or since the last wait. */
  takeRestart(): boolean;
  setLock(lock: { lock: string; lockTime: string; lockExpireTime: string | null } | null): void;
}
