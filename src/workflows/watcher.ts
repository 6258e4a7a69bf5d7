import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { Json } from '../contract/json.ts';
import { ROLL_BACK } from '../contract/names.ts';
import type { WatchCheck } from '../contract/reindex-activities.ts';
import type { MirrorState, WatchState } from '../contract/reindex-state.ts';
import type { RollBackReport, RollBackRequest } from '../contract/roll-back.ts';
import type { Tracker } from '../contract/tasks.ts';
import { WATCHER, type Watch, type WatchVerdict, watchOf } from '../contract/watch.ts';
import { longControl } from './activities.ts';
import { errorOf } from './task/errors.ts';
import type { TaskContext } from './task/types.ts';

const CHECK_SECONDS = 30;
const NO_FIGURES = { searches: 0, emptyShare: null, errorShare: null, latencyP95Ms: null };

/** Lets the old index serve again. Returns null if it serves already. Errors: `ApplicationFailure`. */
type RollBack = (request: Pick<RollBackRequest, 'by' | 'reason'>) => Promise<RollBackReport | null>;

/**
 * Watches the searches that the new index answers, in parallel with whatever the task does, also while it is paused: it
 * compares the newest ones with the bounds in a loop. Once a bound is exceeded, it rolls back, and tries again until that
 * succeeds. The watch lasts as long as `mirror.watch` is set; its figures are in `data.watch` of the tracker.
 */
export class Watcher {
  private readonly task: TaskContext;
  private readonly mirror: MirrorState;
  private readonly rollBack: RollBack;
  private readonly scope = new CancellationScope();
  private readonly watching: Promise<void>;

  constructor(task: TaskContext, mirror: MirrorState, rollBack: RollBack) {
    this.task = task;
    this.mirror = mirror;
    this.rollBack = rollBack;
    this.watching = this.scope.run(() => this.watch());
  }

  /** Ends the watch because of something else than its own verdict, unless it has ended. */
  end(why: string): void {
    this.conclude('ended', why);
  }

  /** Notes a roll back, by this watch or by someone else: there is no second one. */
  rolledBack({ by, from, to, reason }: RollBackReport): void {
    const { watch } = this.mirror;
    if (!watch) return;
    if (by === WATCHER && reason === watch.exceeded) {
      this.task.noteSteering(ROLL_BACK, WATCHER, reason);
      this.conclude('rolled-back', `rolled back from ${from} to ${to}: ${reason}`);
    } else {
      this.conclude('ended', `rolled back from ${from} to ${to} by ${by ?? 'someone else'}`);
    }
  }

  /** Stops without a verdict. The keeper of the mirror completes a roll back in progress. */
  async stop(): Promise<void> {
    this.scope.cancel();
    await CancellationScope.nonCancellable(() =>
      this.watching.catch((error) => {
        if (!isCancellation(error)) throw error;
      }),
    );
  }

  private async watch(): Promise<void> {
    if (this.mirror.watch && !watchOf(this.task.tracker.data)) this.show({});
    for (let watch = this.mirror.watch; watch; watch = this.mirror.watch) {
      watch.nextMs ??= Date.now() + pauseMsOf(watch);
      await sleep(Math.max(1, watch.nextMs - Date.now()), { summary: 'before the next check of the watch' });
      await this.check(watch);
      delete watch.nextMs;
    }
  }

  private async check(watch: WatchState): Promise<void> {
    const { lock } = this.mirror;
    const isLast = Date.now() >= watch.untilMs;
    const found = await this.read(watch, lock);
    // A roll back may have ended it meanwhile.
    if (!found || this.mirror.watch !== watch) return;
    const { since, figures, baseline, exceeded } = found;
    // Until the next try has an outcome.
    const problem = watch.exceeded === undefined ? null : (watchOf(this.task.tracker.data)?.problem ?? null);
    if (exceeded) watch.isDecided = true;
    if (exceeded?.length) watch.exceeded ??= reasonOf(exceeded, found);
    this.show({
      since,
      ...figures,
      baseline,
      verdict: verdictOf(watch, exceeded),
      why: watch.exceeded ?? null,
      problem,
    });
    if (watch.exceeded !== undefined) await this.tryRollBack(watch, watch.exceeded);
    else if (isLast) await this.finish(watch, lock, figures.searches);
  }

  private async read({ rollBackIf }: WatchState, lock: string): Promise<WatchCheck | undefined> {
    try {
      return await longControl.checkWatch({ lock, rollBackIf });
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.show({ problem: `the figures of the watch could not be read: ${errorOf(error).message}` });
      return undefined;
    }
  }

  private async tryRollBack(watch: WatchState, reason: string): Promise<void> {
    try {
      const report = await this.rollBack({ by: WATCHER, reason });
      if (report === null) this.end('the old index serves already');
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (this.mirror.watch === watch) this.show({ problem: `the roll back failed: ${errorOf(error).message}` });
    }
  }

  private async finish(
    { for: time, isDecided, rollBackIf }: WatchState,
    lock: string,
    searches: number,
  ): Promise<void> {
    if (isDecided) this.conclude('passed', `watched ${time}: nothing exceeded`);
    else {
      const why = `watched ${time}: ${searches} searches are too few, ${rollBackIf.minSearches} are needed`;
      this.conclude('too-few-searches', why);
    }
    // What is not dropped now is dropped by maintenance, once the lock is gone.
    await CancellationScope.nonCancellable(() => longControl.endWatch(lock).catch(() => {}));
  }

  private conclude(verdict: WatchVerdict, why: string): void {
    if (!this.mirror.watch) return;
    this.show({ verdict, why });
    delete this.mirror.watch;
  }

  private show(change: Partial<Watch>): void {
    const { task, mirror } = this;
    if (!mirror.watch) return;
    const before = watchOf(task.tracker.data) ?? begun(mirror.watch);
    const watch: Watch = { ...before, problem: null, ...change };
    task.report({ data: { watch: watch as unknown as Json } });
  }
}

function begun({ untilMs, rollBackIf }: WatchState): Watch {
  return {
    untilTime: new Date(untilMs).toISOString(),
    rollBackIf,
    ...NO_FIGURES,
    since: null,
    baseline: NO_FIGURES,
    verdict: 'too-few-searches',
    why: null,
    problem: null,
  };
}

/** The last check is at the end of the time, unless there is a roll back to be tried again. */
function pauseMsOf({ untilMs, exceeded }: WatchState): number {
  const leftMs = exceeded === undefined ? untilMs - Date.now() : 0;
  return leftMs > 0 ? Math.min(CHECK_SECONDS * 1_000, Math.max(1_000, leftMs)) : CHECK_SECONDS * 1_000;
}

function reasonOf(exceeded: readonly string[], { figures, since }: WatchCheck): string {
  return `${exceeded.join('; ')}; ${figures.searches} searches since ${since}`;
}

function verdictOf({ exceeded }: WatchState, bounds: WatchCheck['exceeded']): WatchVerdict {
  if (exceeded !== undefined) return 'exceeded';
  return bounds === null ? 'too-few-searches' : 'watching';
}

/** Says in words how the watch is going; an empty text without one. */
export function watchText(data: Tracker['data']): string {
  const watch = watchOf(data);
  if (!watch) return '';
  const { verdict, why, problem, untilTime } = watch;
  const trouble = problem === null ? '' : `; ${problem}; it is tried again`;
  if (verdict === 'exceeded') return `${why}${trouble}; nothing is deleted until it is rolled back`;
  return why ?? `watching until ${untilTime}${trouble}`;
}
