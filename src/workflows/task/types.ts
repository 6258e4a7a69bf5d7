import type { StepWaits, TaskPace } from '../../contract/task-pace.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** The interface of a task for its steps. */
export interface TaskContext {
  readonly id: string;
  readonly tracker: Tracker;
  /** True in attempts after the first. */
  readonly triedBefore: boolean;
  setDetail(detail: string): void;
  /** Updates the progress and `data`, and publishes them from time to time. */
  report(change: { done?: number; total?: number; failed?: number; data?: Tracker['data'] }): void;
  /** Adds what a step waited for, from which the tracker tells why the task is slow; null forgets all steps. */
  noteWaits(waits: StepWaits | null | undefined): void;
  /** Shows what the task stands still for; null once it continues. */
  stand(still: Pick<TaskPace, 'reason' | 'until'> | null): void;
  /** Publishes the status of a `quiet` task before it ends. */
  publishNow(): void;
  /** Pauses the task until it is resumed, and shows the reason. */
  hold(why: Hold): void;
  /** Blocks while the task is paused; called between two batches. */
  checkpoint(): Promise<void>;
  /**
   * Waits with the status `waiting` for this long, until `isOver`, or until `restart` (with `onResume` also `resume`).
   * Returns true if a signal ended the wait.
   */
  waitFor(detail: string, seconds: number, options?: { isOver?: () => boolean; onResume?: boolean }): Promise<boolean>;
  /** Waits with the status `waiting` until `isSo`; `restart` does not end it. Returns false after this many seconds. */
  waitUntil(detail: string, isSo: () => boolean, seconds: number): Promise<boolean>;
  /** Whether the history is so long that the task should continue as a new run. */
  isLong(): boolean;
  /** Throws if `isLong`, so that the task continues as a new run from here; if asked, also one that was stopped. */
  continueIfLong(options?: { evenStopped?: boolean }): void;
  /** Whether `restart` was sent since the last call, or since the last wait. */
  takeRestart(): boolean;
  /** Records in the steering log what the task did by itself, as whom and why. */
  noteSteering(call: string, by: string, reason: string | null): void;
  setLock(lock: { lock: string; lockTime: string; lockExpireTime: string | null } | null): void;
}

export interface Hold {
  type: string;
  message: string;
}
