import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  proxySinks,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { backOffSeconds, REFUSALS, TASK_FAILURE } from '../contract/failures.ts';
import { SIGNAL } from '../contract/names.ts';
import type { TaskStatus } from '../contract/status.ts';
import type { TaskEvents } from '../contract/task-events.ts';
import type { Tracker } from '../contract/tasks.ts';
import { control, longControl } from './activities.ts';
import { addError, IgnoredError, noteHold, RefusedError } from './errors.ts';
import { GoesOn, isHistoryLong } from './history.ts';
import { type Hold, holdSignal } from './holding.ts';
import { above0, orNull } from './shapes.ts';
import { createTaskSignals, handleTaskSignals, type TaskSignals, throttleSignal, trackerQuery } from './signals.ts';
import type { Task, TaskSpec } from './task.ts';
import { TrackerKeeper } from './tracker-keeper.ts';
import { carriedOf, wasDone } from './tracker-state.ts';
import { handleWaits } from './waits.ts';

/** For the metrics of the worker. */
const { taskEvents } = proxySinks<{ taskEvents: TaskEvents }>();

/**
 * What all tasks share: runs attempts of `attempt` and keeps the tracker. A failed attempt is followed by another after
 * a back-off, until none is left (`exhausted`) or its error cannot be retried (`failed`). Signals and the query are
 * those of the contract. Ends as design §4 says: done and ignored complete; canceled is canceled; failed, exhausted and
 * refused fail with the tracker in the details.
 */
export async function runTask(spec: TaskSpec, attempt: (task: Task) => Promise<void>): Promise<Tracker> {
  const root = CancellationScope.current();
  const keeper = new TrackerKeeper(workflowInfo(), spec);
  const { tracker } = keeper;
  const { previous } = spec;
  const signals = createTaskSignals(previous?.signals);
  const holdBecause = (why: Hold) => {
    noteHold(tracker, why);
    if (!signals.paused) {
      signals.paused = true;
      spec.onPause?.(true);
    }
    keeper.showPause(true, why);
  };
  const isStopped = () => signals.stop !== null || root.consideredCancelled;
  const mustGoOn = () => spec.goOn !== undefined && isHistoryLong() && !isStopped();
  const task = createTask(keeper, signals, { mustGoOn, holdBecause });
  setHandler(holdSignal, (why) => why && holdBecause(why));
  handleWaits(keeper, spec);
  setHandler(trackerQuery, () => tracker);
  const { onPause, onThrottle } = spec;
  if (onThrottle) {
    setHandler(throttleSignal, async (ratePerSecond, by) => {
      // What tools send may be anything.
      const expected = orNull(above0)(ratePerSecond);
      keeper.noteSteering(SIGNAL.throttle, by, expected && `ignored: ${expected}, or null for no limit, was expected`);
      if (expected === undefined) await onThrottle(ratePerSecond);
    });
  }
  handleTaskSignals(signals, {
    note: (call, by, reason) => keeper.noteSteering(call, by, reason),
    onPause(paused) {
      onPause?.(paused);
      // What is processing is paused when it has come to its next checkpoint, unless it holds what runs for it itself.
      if (!paused || onPause || tracker.status !== 'processing') keeper.showPause(paused);
    },
    async onResume() {
      // What a provider has asked for may be far too long: whoever resumes the task knows better.
      if (isRateLimited(tracker)) await longControl.liftPauses(spec.indexes).catch(() => {});
    },
  });

  const end = async (status: TaskStatus, detail: string) => {
    keeper.end(status, detail);
    const seconds = Math.max(0, Date.now() - Date.parse(tracker.createTime)) / 1_000;
    taskEvents.ended({ type: spec.type, status, seconds });
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  };
  const fail = async (status: 'failed' | 'exhausted' | 'refused', detail: string): Promise<never> => {
    await end(status, detail);
    throw ApplicationFailure.nonRetryable(tracker.detail, TASK_FAILURE[status], tracker);
  };
  /** In a scope that `cancel` and `ignore` break up. */
  const unlessStopped = (steps: () => Promise<void>) =>
    CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current();
      signals.onStop = () => scope.cancel();
      if (signals.stop) scope.cancel();
      await steps();
    });
  const backOff = (seconds: number) =>
    unlessStopped(async () => {
      if (signals.paused) keeper.showPause(true);
      signals.restartRequested = false;
      await condition(() => signals.restartRequested, seconds * 1_000, { summary: 'back-off' });
      await task.checkpoint();
    });

  const begin = () => {
    tracker.attempts++;
    taskEvents.attempted({ type: spec.type });
  };

  if (spec.refusal) {
    begin();
    keeper.move('processing', '');
    return fail('failed', addError(tracker, spec.refusal).message);
  }
  if (wasDone(spec)) {
    begin();
    keeper.move('processing', '');
    await end('done', 'nothing was left to do: an earlier run has done it');
    return tracker;
  }
  if (signals.paused) onPause?.(true);
  let isWithinAttempt = previous?.sameAttempt === true;
  try {
    for (;;) {
      const ended = await runAttempt();
      if (ended) return ended;
    }
  } catch (error) {
    if (error instanceof GoesOn) return goOn();
    throw error;
  }

  /** Undefined when another attempt is to follow. */
  async function runAttempt(): Promise<Tracker | undefined> {
    const continued = isWithinAttempt;
    if (!continued) begin();
    isWithinAttempt = true;
    keeper.beginAttempt();
    task.setLock({ lock: uuid4(), lockTime: new Date().toISOString(), lockExpireTime: null });
    keeper.move('processing', keeper.detail);
    if (continued && signals.paused) keeper.showPause(true);
    try {
      await unlessStopped(async () => {
        // One that goes on is held at its next checkpoint: its lock is to be kept meanwhile.
        if (!continued) await task.checkpoint();
        await attempt(task);
      });
      await end('done', keeper.detail);
      return tracker;
    } catch (error) {
      if (error instanceof GoesOn) throw error;
      if (isStopped()) return stopped();
      if (error instanceof IgnoredError) {
        await end('ignored', error.message);
        return tracker;
      }
      const { type, message, retryable, byHandler } = addError(tracker, error);
      taskEvents.attemptFailed({ type: spec.type, error: type });
      const isRefused = error instanceof RefusedError || (!byHandler && REFUSALS.includes(type));
      if (isRefused) return fail('refused', message);
      if (!retryable) return fail('failed', message);
      const { attempts, maxAttempts } = tracker;
      if (attempts >= maxAttempts) {
        const all = attempts === 1 ? 'the only attempt failed' : `all ${attempts} attempts failed; the last`;
        return fail('exhausted', `${all}: ${message}`);
      }
      isWithinAttempt = false;
      const seconds = (spec.backOff ?? backOffSeconds)(attempts);
      keeper.endAttempt(`attempt ${attempts} of ${maxAttempts} failed: ${message}; again in ${seconds} s`);
      try {
        await backOff(seconds);
      } catch (stop) {
        if (isCancellation(stop)) return stopped();
        throw stop;
      }
      return undefined;
    }
  }

  /** Goes on as a new run, which does what was asked of this one up to its last moment. */
  async function goOn(): Promise<never> {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    keeper.handOver();
    // Nothing comes in from here on: all that is left is done in one go.
    const stop = signals.stop ?? (root.consideredCancelled ? { status: 'canceled' as const } : null);
    const { paused, restartRequested } = signals;
    const carried = carriedOf(tracker, {
      signals: { stop, paused, restartRequested },
      sameAttempt: isWithinAttempt,
      onlyFailed: previous?.onlyFailed === true,
    });
    return (spec.goOn as NonNullable<TaskSpec['goOn']>)(carried);
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

function isRateLimited({ data, errors: [last] }: Tracker): boolean {
  const { waitsFor } = data as { waitsFor?: { reason?: unknown } };
  return waitsFor?.reason === 'ModelRateLimited' || last?.type === 'ModelRateLimited';
}

/** What the steps of a task see of its tracker and of what people ask. */
function createTask(
  keeper: TrackerKeeper,
  signals: TaskSignals,
  { mustGoOn, holdBecause }: { mustGoOn: () => boolean; holdBecause: (why: Hold) => void },
): Task {
  const { tracker } = keeper;
  const continueIfLong = () => {
    if (mustGoOn()) throw new GoesOn();
  };
  return {
    id: tracker.id,
    tracker,
    get triedBefore() {
      return tracker.attempts > 1;
    },
    setDetail: (detail) => keeper.setDetail(detail),
    report: (change) => keeper.report(change),
    speakUp: () => keeper.speakUp(),
    setLock: (lock) => keeper.setLock(lock),
    hold: holdBecause,
    async checkpoint() {
      while (signals.paused) {
        keeper.showPause(true);
        await condition(() => !signals.paused || mustGoOn());
        if (signals.paused) continueIfLong();
        keeper.showPause(false);
      }
    },
    async waitFor(detail, seconds, { isOver = () => false, onResume = false } = {}) {
      signals.restartRequested = false;
      signals.resumeRequested = false;
      const isWoken = () => signals.restartRequested || (onResume && signals.resumeRequested);
      await this.waitUntil(detail, () => isWoken() || isOver(), seconds);
      const atOnce = isWoken();
      signals.restartRequested = false;
      return atOnce;
    },
    async waitUntil(detail, isSo, seconds) {
      await this.checkpoint();
      keeper.speakUp();
      keeper.move('waiting', detail);
      const inTime = await condition(isSo, seconds * 1_000, { summary: detail });
      await this.checkpoint();
      keeper.move('processing', '');
      return inTime;
    },
    isLong: mustGoOn,
    continueIfLong,
    takeRestart() {
      const { restartRequested } = signals;
      signals.restartRequested = false;
      return restartRequested;
    },
  };
}
