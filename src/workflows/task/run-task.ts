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
import { TASK_FAILURE } from '../../contract/failures.ts';
import type { TaskEvents } from '../../contract/task-events.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { control, longControl } from '../activities.ts';
import { type AttemptEnd, type EndStatus, endOfFailed, endOfStopped } from './attempt-end.ts';
import { handleBuildProgress } from './build-progress.ts';
import { createTaskContext } from './context.ts';
import { addError, noteHold } from './errors.ts';
import { ContinuesAsNew, isHistoryLong } from './history.ts';
import { holdSignal } from './hold.ts';
import { handleReindexSignals } from './reindex-signals.ts';
import { reportedHold } from './reported.ts';
import { createTaskSignals, handleTaskSignals, type TaskSignals, trackerQuery } from './signals.ts';
import type { TaskSpec } from './spec.ts';
import { handleStepWaits } from './step-waits.ts';
import { TrackerKeeper } from './tracker-keeper.ts';
import { toCarried, wasDone } from './tracker-state.ts';
import type { Hold, TaskContext } from './types.ts';
import { handleWaits } from './waits.ts';

/** Reports task events to the worker's metrics. */
const { taskEvents } = proxySinks<{ taskEvents: TaskEvents }>();

type Attempt = (task: TaskContext) => Promise<void>;

/**
 * Runs the attempts of a task and keeps its tracker. A failed attempt is retried after a back-off, until no attempt is
 * left (`exhausted`) or its error is not retryable (`failed`). Signals and the query are those of the contract. Returns
 * the tracker of a task that is done or ignored. The workflow of a canceled task ends as canceled; that of a failed,
 * exhausted or refused one fails, with the tracker in the details.
 */
export async function runTask(spec: TaskSpec, attempt: Attempt): Promise<Tracker> {
  return new TaskRun(spec, attempt).run();
}

class TaskRun {
  private readonly spec: TaskSpec;
  private readonly attempt: Attempt;
  private readonly root = CancellationScope.current();
  private readonly keeper: TrackerKeeper;
  private readonly signals: TaskSignals;
  private readonly task: TaskContext;
  /** False between two attempts. A run may continue an attempt of the previous one. */
  private isWithinAttempt: boolean;

  constructor(spec: TaskSpec, attempt: Attempt) {
    const { previous } = spec;
    this.spec = spec;
    this.attempt = attempt;
    this.keeper = new TrackerKeeper(workflowInfo(), spec);
    this.signals = createTaskSignals(previous?.signals);
    this.isWithinAttempt = previous?.sameAttempt === true;
    this.task = createTaskContext(this.keeper, this.signals, {
      mustContinueAsNew: (evenStopped = false) =>
        spec.startNextRun !== undefined && isHistoryLong() && (evenStopped || !this.isStopped()),
      hold: (why) => this.hold(why),
    });
  }

  async run(): Promise<Tracker> {
    const { spec, keeper, signals } = this;
    this.listen();
    if (spec.refusal) {
      this.beginAttempt();
      keeper.move('processing', '');
      return this.end('failed', addError(keeper.tracker, spec.refusal).message);
    }
    if (wasDone(spec)) {
      this.beginAttempt();
      keeper.move('processing', '');
      return this.end('done', 'nothing was left to do: an earlier run has done it');
    }
    if (signals.paused) spec.onPause?.(true);
    try {
      return await this.runAttempts();
    } catch (error) {
      if (error instanceof ContinuesAsNew) return this.startNextRun();
      throw error;
    }
  }

  private async runAttempts(): Promise<Tracker> {
    for (;;) {
      const end = await this.runAttempt();
      if (end.kind === 'ended') return this.end(end.status, end.detail);
      const stop = await this.backOff(end);
      if (stop) return this.end(stop.status, stop.detail);
    }
  }

  private async runAttempt(): Promise<AttemptEnd> {
    const { keeper, task } = this;
    const isContinued = this.isWithinAttempt;
    this.beginAttempt();
    task.setLock({ lock: uuid4(), lockTime: new Date().toISOString(), lockExpireTime: null });
    keeper.move('processing', keeper.detail);
    if (isContinued && this.signals.paused) keeper.showPause(true);
    try {
      await this.unlessStopped(async () => {
        // A continued attempt pauses at its next checkpoint, so that its lock is renewed until then.
        if (!isContinued) {
          await task.checkpoint();
          // What ended a pause or a back-off ends no wait of the attempt.
          this.signals.restartRequested = false;
        }
        await this.attempt(task);
      });
      return { kind: 'ended', status: 'done', detail: keeper.detail };
    } catch (error) {
      if (error instanceof ContinuesAsNew) throw error;
      if (this.isStopped()) return endOfStopped(this.signals);
      return endOfFailed(error, keeper.tracker, this.spec);
    }
  }

  /** Counts the attempt, unless the previous run began it. */
  private beginAttempt(): void {
    const { keeper, spec } = this;
    keeper.beginAttempt();
    if (this.isWithinAttempt) return;
    this.isWithinAttempt = true;
    keeper.tracker.attempts++;
    taskEvents.attempted({ type: spec.type });
  }

  /** Waits before the next attempt, or until `restart`. Returns how the task ends if it is stopped. */
  private async backOff({ afterSeconds, detail }: AttemptEnd & { kind: 'retry' }) {
    const { keeper, signals, task } = this;
    this.isWithinAttempt = false;
    keeper.endAttempt(detail);
    try {
      await this.unlessStopped(async () => {
        if (signals.paused) keeper.showPause(true);
        signals.restartRequested = false;
        await condition(() => signals.restartRequested, afterSeconds * 1_000, { summary: 'back-off' });
        await task.checkpoint();
      });
      return undefined;
    } catch (error) {
      if (isCancellation(error)) return endOfStopped(signals);
      throw error;
    }
  }

  private async end(status: EndStatus, detail: string): Promise<Tracker> {
    const { keeper, spec } = this;
    const { tracker } = keeper;
    const { onEnd } = spec;
    if (onEnd && status !== 'done') await CancellationScope.nonCancellable(() => onEnd(this.task));
    keeper.end(status, detail);
    const seconds = Math.max(0, Date.now() - Date.parse(tracker.createTime)) / 1_000;
    taskEvents.ended({ type: spec.type, status, seconds });
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    if (status === 'done' || status === 'ignored') return tracker;
    if (status === 'canceled') return this.endAsCanceled();
    throw ApplicationFailure.nonRetryable(tracker.detail, TASK_FAILURE[status], tracker);
  }

  private async endAsCanceled(): Promise<never> {
    const { root, keeper } = this;
    const { tracker } = keeper;
    return CancellationScope.nonCancellable(async () => {
      // Temporal lets a workflow end as canceled only after the server received a cancellation request.
      if (!root.consideredCancelled) {
        await control.requestCancel();
        await condition(() => root.consideredCancelled);
      }
      throw new CancelledFailure(tracker.detail, [tracker]);
    });
  }

  /** Continues as a new run, and hands over every signal that this one received. */
  private async startNextRun(): Promise<never> {
    const { keeper, signals, root, spec } = this;
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    keeper.publishForNextRun();
    // No signal arrives from here on, because nothing below awaits.
    const stop = signals.stop ?? (root.consideredCancelled ? { status: 'canceled' as const } : null);
    const { paused, restartRequested } = signals;
    const carried = toCarried(keeper.tracker, {
      signals: { stop, paused, restartRequested },
      sameAttempt: this.isWithinAttempt,
      onlyFailed: spec.previous?.onlyFailed === true,
    });
    return (spec.startNextRun as NonNullable<TaskSpec['startNextRun']>)(carried);
  }

  private isStopped(): boolean {
    return this.signals.stop !== null || this.root.consideredCancelled;
  }

  /** Runs steps in a scope that `cancel` and `ignore` cancel. */
  private unlessStopped(steps: () => Promise<void>): Promise<void> {
    const { signals } = this;
    return CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current();
      signals.onStop = () => scope.cancel();
      if (signals.stop) scope.cancel();
      await steps();
    });
  }

  /** Pauses the task until it is resumed, and shows the reason. */
  private hold(why: Hold): void {
    const { keeper, signals, spec } = this;
    noteHold(keeper.tracker, why);
    spec.onHold?.(why);
    if (!signals.paused) {
      signals.paused = true;
      spec.onPause?.(true);
    }
    keeper.showPause(true, why);
  }

  /** Installs the handlers. Signals that came before the first workflow task are handled within this call. */
  private listen(): void {
    const { keeper, signals, spec } = this;
    const { tracker } = keeper;
    const { onPause } = spec;
    setHandler(holdSignal, (sent) => {
      const why = reportedHold(sent);
      if (why) this.hold(why);
    });
    handleWaits(keeper, spec);
    handleBuildProgress(keeper);
    handleStepWaits(keeper);
    setHandler(trackerQuery, () => tracker);
    handleReindexSignals(keeper, spec);
    handleTaskSignals(signals, {
      note: (call, by, reason) => keeper.noteSteering(call, by, reason),
      onPause(paused) {
        onPause?.(paused);
        // A processing task is paused at its next checkpoint, unless it pauses its children itself.
        if (!paused || onPause || tracker.status !== 'processing') keeper.showPause(paused);
      },
      async onResume() {
        // The pause that a provider asked for may be far too long: a person's `resume` overrides it.
        if (isRateLimited(tracker)) await longControl.liftPauses(spec.indexes).catch(() => {});
      },
    });
  }
}

function isRateLimited({ data, errors: [last] }: Tracker): boolean {
  const { waitsFor } = data as { waitsFor?: { reason?: unknown } };
  return waitsFor?.reason === 'ModelRateLimited' || last?.type === 'ModelRateLimited';
}
