import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { backOffSeconds, REFUSALS, TASK_FAILURE } from '../contract/failures.ts';
import { LIMITS } from '../contract/limits.ts';
import { listRow } from '../contract/list-row.ts';
import { mayMove, type TaskStatus } from '../contract/status.ts';
import type { TaskType, Tracker } from '../contract/tasks.ts';
import type { Carried } from '../contract/workflow-inputs.ts';
import { control } from './activities.ts';
import { addError, errorOf, RefusedError } from './errors.ts';
import { createTaskSignals, handleTaskSignals, trackerQuery } from './signals.ts';
import { carriedOf, createTracker, wasDone } from './tracker-state.ts';
import { currentDetails, isAnnounced, searchAttributesOf } from './tracker-views.ts';

export interface TaskSpec {
  type: TaskType;
  /** Names of the indexes it is about, for lists. */
  indexes: readonly string[];
  parentId?: string | null;
  maxAttempts?: number | undefined;
  previous?: Carried | undefined;
  /** Short tasks publish only how they ended: fewer events of history. */
  quiet?: boolean;
  /** Passes a pause or its end on to what runs on the task's behalf. */
  onPause?: (paused: boolean) => void;
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
  /** Between two batches: stays here while the task is paused. */
  checkpoint(): Promise<void>;
  /** Status `waiting` for this long, or until someone sends `restart`: then it returns true. */
  waitFor(detail: string, seconds: number): Promise<boolean>;
  /** Goes on as a new run, unless the task was stopped; a pause is waited for first. `goOn` calls `continueAsNew`. */
  continueAs(goOn: (previous: Carried) => Promise<never>): Promise<void>;
  setLock(lock: { lock: string; lockTime: string; lockExpireTime: string | null } | null): void;
}

const PUBLISH_EVERY_MS = 5_000;

/**
 * What all tasks share: runs attempts of `attempt` and keeps the tracker. A failed attempt is followed by another after
 * a back-off, until none is left (`exhausted`) or its error cannot be retried (`failed`). Signals and the query are
 * those of the contract. Ends as design §4 says: done and ignored complete; canceled is canceled; failed, exhausted and
 * refused fail with the tracker in the details.
 */
export async function runTask(spec: TaskSpec, attempt: (task: Task) => Promise<void>): Promise<Tracker> {
  const info = workflowInfo();
  const now = () => new Date().toISOString();
  const root = CancellationScope.current();
  const tracker = createTracker(info, spec);
  setHandler(trackerQuery, () => tracker);

  let quiet = spec.quiet ?? false;
  let publishedMs = 0;
  // Whoever started the workflow may have set them already.
  let announced = isAnnounced(info);
  const publish = () => {
    setCurrentDetails(currentDetails(tracker));
    if (quiet) return;
    publishedMs = Date.now();
    const attributes = searchAttributesOf(tracker, spec.indexes, announced);
    announced = true;
    upsertSearchAttributes(attributes);
    upsertMemo({ tracker: listRow(tracker) });
  };
  const move = (status: TaskStatus, detail: string) => {
    if (status !== tracker.status && !mayMove(tracker.status, status)) {
      throw ApplicationFailure.nonRetryable(`a task cannot go from ${tracker.status} to ${status}`, 'Internal');
    }
    tracker.status = status;
    tracker.detail = detail.slice(0, LIMITS.detailChars);
    tracker.updateTime = now();
    publish();
  };
  const signals = createTaskSignals();
  const isStopped = () => signals.stop !== null || root.consideredCancelled;
  let detailBeforePause = '';
  const showPause = () => {
    if (signals.paused && tracker.status === 'processing') {
      detailBeforePause = tracker.detail;
      quiet = false;
      move('paused', 'paused: send resume to go on');
    } else if (!signals.paused && tracker.status === 'paused') {
      move('processing', detailBeforePause);
    }
  };
  let startedMs = Date.now();
  const startedDone = tracker.progress.done;
  const task: Task = {
    id: info.workflowId,
    tracker,
    get triedBefore() {
      return tracker.attempts > 1;
    },
    setDetail(detail) {
      tracker.detail = detail.slice(0, LIMITS.detailChars);
      tracker.updateTime = now();
      setCurrentDetails(currentDetails(tracker));
    },
    report({ done, total, failed, data }) {
      const { progress } = tracker;
      if (total !== undefined) progress.total = total;
      if (done !== undefined) progress.done = done;
      if (failed !== undefined) progress.failed = failed;
      if (data) Object.assign(tracker.data, data);
      const seconds = Math.max(0.001, (Date.now() - startedMs) / 1_000);
      progress.perSecond = Math.round(((progress.done - startedDone) / seconds) * 10) / 10;
      const left = Math.max(0, progress.total - progress.done);
      progress.etaSeconds = progress.perSecond > 0 ? Math.ceil(left / progress.perSecond) : null;
      tracker.updateTime = now();
      if (Date.now() - publishedMs >= PUBLISH_EVERY_MS) publish();
      else setCurrentDetails(currentDetails(tracker));
    },
    speakUp() {
      if (!quiet) return;
      quiet = false;
      publish();
    },
    async checkpoint() {
      while (signals.paused) {
        showPause();
        await condition(() => !signals.paused);
        showPause();
      }
    },
    async waitFor(detail, seconds) {
      this.speakUp();
      move('waiting', detail);
      signals.restartRequested = false;
      const atOnce = await condition(() => signals.restartRequested, seconds * 1_000, { summary: detail });
      signals.restartRequested = false;
      move('processing', '');
      await this.checkpoint();
      return atOnce;
    },
    async continueAs(goOn) {
      const unlessStopped = () => {
        if (isStopped() || CancellationScope.current().consideredCancelled) throw new CancelledFailure('stopped');
      };
      unlessStopped();
      await this.checkpoint();
      unlessStopped();
      await goOn(carriedOf(tracker));
    },
    setLock(lock) {
      tracker.lock = lock?.lock ?? null;
      tracker.lockTime = lock?.lockTime ?? null;
      tracker.lockExpireTime = lock?.lockExpireTime ?? null;
    },
  };

  /** One attempt, in a scope that `cancel` and `ignore` break up. */
  const runAttempt = () =>
    CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current();
      signals.onStop = () => scope.cancel();
      if (signals.stop) scope.cancel();
      await task.checkpoint();
      await attempt(task);
    });

  const end = async (status: TaskStatus, detail: string) => {
    quiet = false;
    task.setLock(null);
    // A pause that came too late to be kept.
    if (tracker.status === 'paused' || tracker.status === 'waiting') tracker.status = 'processing';
    if (status === 'done') tracker.progress.etaSeconds = 0;
    move(status, detail);
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  };

  handleTaskSignals(signals, (paused) => {
    if (!spec.onPause) return;
    spec.onPause(paused);
    showPause();
  });
  if (wasDone(spec)) {
    tracker.attempts++;
    move('processing', '');
    await end('done', 'nothing was left to do: an earlier run has done it');
    return tracker;
  }
  let continued = spec.previous?.sameAttempt === true;
  for (;;) {
    if (!continued) tracker.attempts++;
    continued = false;
    startedMs = Date.now();
    task.setLock({ lock: uuid4(), lockTime: now(), lockExpireTime: null });
    move('processing', tracker.detail);
    try {
      await runAttempt();
      await end('done', tracker.detail);
      return tracker;
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      if (isStopped()) return await stopped();
      if (error instanceof RefusedError || REFUSALS.includes(errorOf(error).type)) {
        addError(tracker, error);
        await end('refused', errorOf(error).message);
        throw ApplicationFailure.nonRetryable(tracker.detail, TASK_FAILURE.refused, tracker);
      }
      const { message, retryable } = addError(tracker, error);
      if (!retryable) {
        await end('failed', message);
        throw ApplicationFailure.nonRetryable(message, TASK_FAILURE.failed, tracker);
      }
      if (tracker.attempts >= tracker.maxAttempts) {
        await end('exhausted', `all ${tracker.attempts} attempts failed; the last: ${message}`);
        throw ApplicationFailure.nonRetryable(tracker.detail, TASK_FAILURE.exhausted, tracker);
      }
      task.setLock(null);
      quiet = false;
      const seconds = backOffSeconds(tracker.attempts);
      move('failed', `attempt ${tracker.attempts} of ${tracker.maxAttempts} failed: ${message}; again in ${seconds} s`);
      signals.restartRequested = false;
      try {
        await CancellationScope.cancellable(async () => {
          const scope = CancellationScope.current();
          signals.onStop = () => scope.cancel();
          if (signals.stop) scope.cancel();
          await condition(() => signals.restartRequested, seconds * 1_000, { summary: 'back-off' });
        });
      } catch (stop) {
        if (isCancellation(stop)) return await stopped();
        throw stop;
      }
    }
  }

  /** Canceled, by signal or by Temporal, or set aside. */
  async function stopped(): Promise<Tracker> {
    if (signals.stop?.status === 'ignored') {
      await end('ignored', signals.stop.reason ?? 'set aside');
      return tracker;
    }
    await end('canceled', signals.stop?.reason ? `canceled: ${signals.stop.reason}` : 'canceled');
    return CancellationScope.nonCancellable(async () => {
      // Temporal lets a workflow end as canceled only when cancellation was requested of the server.
      if (!root.consideredCancelled) {
        await control.requestCancel();
        await condition(() => root.consideredCancelled);
      }
      throw new CancelledFailure(tracker.detail, [tracker]);
    });
  }
}
