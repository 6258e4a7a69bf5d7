import { ApplicationFailure, CancellationScope, condition, isCancellation, uuid4 } from '@temporalio/workflow';
import type { MirrorState } from '../contract/reindex-state.ts';
import { ROLL_BACK_REFUSALS, type RollBackReport, type RollBackRequest } from '../contract/roll-back.ts';
import { embedActivities, rollBackActivities } from './activities.ts';
import { errorOf } from './task/errors.ts';
import type { TaskContext } from './task/types.ts';

/** Max. time between two updates of an index that is kept current. */
const MAX_PAUSE_SECONDS = 300;

/** Max. time for which a roll back blocks writers. */
const DRAIN_SECONDS = 5;

export const pauseSecondsOf = ({ lockSeconds }: MirrorState) => Math.min(lockSeconds / 3, MAX_PAUSE_SECONDS);

export interface KeeperOptions {
  /** Number of the index that was retired: a roll back to it moves all aliases. */
  retiredNo: number;
  /** The last roll back: what it moved is moved forward again. */
  last: () => RollBackReport | undefined;
  onTurned: (report: RollBackReport) => void;
}

type Outcome = { report: RollBackReport | null } | { failure: ApplicationFailure };

/** A roll back that somebody waits for. */
interface Turn extends RollBackRequest {
  outcome?: Outcome;
}

/** Creates the error of a roll back that is refused for good. */
export function refuseRollBack(message: string, reason: keyof typeof ROLL_BACK_REFUSALS = 'notKeptCurrent') {
  const details = [{ reason: ROLL_BACK_REFUSALS[reason] }];
  return ApplicationFailure.create({ type: 'RollBackRefused', message, nonRetryable: true, details });
}

function notCurrent(message: string) {
  return ApplicationFailure.create({ type: 'NotCurrent', message, nonRetryable: true });
}

/**
 * Keeps an index current: renews the mirror and copies new writes in a loop, in parallel with whatever the task does,
 * also while it is paused. Rolls back on request, which swaps the roles of both indexes in the mirror. An error is shown
 * in the tracker, and the step is retried.
 */
export class MirrorKeeper {
  private readonly task: TaskContext;
  /** Changed by each roll back. */
  private readonly mirror: MirrorState;
  private readonly options: KeeperOptions;
  private readonly scope = new CancellationScope();
  private readonly keeping: Promise<void>;
  private readonly turns: Turn[] = [];
  private pass = new CancellationScope();
  private lost = false;
  private stopped = false;

  constructor(task: TaskContext, mirror: MirrorState, options: KeeperOptions) {
    this.task = task;
    this.mirror = mirror;
    this.options = options;
    this.keeping = this.scope.run(() => this.keep());
  }

  /** Whether the lock is lost: the index serves again, or was not kept current for too long. */
  isLost(): boolean {
    return this.lost;
  }

  /** Whether a roll back is requested or in progress. */
  isTurning(): boolean {
    return this.turns.length > 0;
  }

  /** Rolls back after those that were requested before. Returns null if the index serves already then. */
  async turn(request: RollBackRequest): Promise<RollBackReport | null> {
    if (this.stopped || this.lost) throw refuseRollBack('the index is not kept current any more');
    const turn: Turn = { ...request };
    this.turns.push(turn);
    this.pass.cancel();
    await condition(() => turn.outcome !== undefined);
    const outcome = turn.outcome as Outcome;
    if ('failure' in outcome) throw outcome.failure;
    return outcome.report;
  }

  /** Ends after the roll back in progress. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.scope.cancel();
    await CancellationScope.nonCancellable(() =>
      this.keeping.catch((error) => {
        if (!isCancellation(error)) throw error;
      }),
    );
    this.refuseTurns();
  }

  private async keep(): Promise<void> {
    while (!this.lost && !this.stopped) {
      if (this.turns.length > 0) await this.rollBack(this.turns[0] as Turn);
      else if (!(await this.copyChanges())) return;
    }
    this.refuseTurns();
  }

  /** Copies for a while. Returns false if the task stops. */
  private async copyChanges(): Promise<boolean> {
    const { task, mirror } = this;
    this.pass = new CancellationScope();
    try {
      const { mark, more } = await this.pass.run(() => embedActivities().reconcileMirror(mirror));
      mirror.mark = mark;
      delete task.tracker.data.mirrorError;
      if (more) return true;
    } catch (error) {
      if (isCancellation(error)) return !this.stopped && this.turns.length > 0;
      const { type, message } = errorOf(error);
      this.lost = type === 'LockLost';
      if (this.lost) return true;
      task.report({ data: { mirrorError: message } });
    }
    await condition(() => this.turns.length > 0, pauseSecondsOf(mirror) * 1_000, {
      summary: 'before the mirror is renewed',
    });
    return true;
  }

  private async rollBack(turn: Turn): Promise<void> {
    turn.outcome = await this.outcomeOf(turn);
    this.turns.shift();
  }

  private async outcomeOf({ toNo, by, reason }: Turn): Promise<Outcome> {
    const { task, mirror, options } = this;
    if (toNo === mirror.sourceNo) return { report: null };
    if (toNo !== mirror.destNo) return { failure: refuseRollBack('the index is not one of the two') };
    const nextLock = uuid4();
    try {
      // What has begun is completed: the aliases may have moved already.
      const result = await CancellationScope.nonCancellable(() =>
        rollBackActivities().rollBack({
          ...{ taskId: task.id, mirror, nextLock, by, reason, drainSeconds: DRAIN_SECONDS },
          aliases: toNo === options.retiredNo ? null : (options.last()?.aliases ?? null),
        }),
      );
      mirror.mark = result.mark;
      if (result.kind === 'notCurrent') return { failure: notCurrent(result.message) };
      Object.assign(mirror, { lock: nextLock, sourceNo: mirror.destNo, destNo: mirror.sourceNo });
      options.onTurned(result.report);
      return { report: result.report };
    } catch (error) {
      const { type, message } = errorOf(error);
      this.lost = type === 'LockLost';
      if (this.lost) return { failure: refuseRollBack('the index is not kept current any more') };
      if (error instanceof ApplicationFailure) return { failure: error };
      return { failure: ApplicationFailure.create({ type, message, nonRetryable: true }) };
    }
  }

  private refuseTurns(): void {
    const failure = refuseRollBack('the index is not kept current any more');
    for (const turn of this.turns.splice(0)) turn.outcome = { failure };
  }
}
