import {
  ApplicationFailure,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
  type WorkflowInfo,
} from '@temporalio/workflow';
import { type BuildProgress, buildText } from '../../contract/build-progress.ts';
import { ERROR_BOUNDS, STEERING_KEPT } from '../../contract/failures.ts';
import { LIMITS } from '../../contract/limits.ts';
import { LAST_TRACKER, listRow } from '../../contract/list-row.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { mayMove, type TaskStatus } from '../../contract/status.ts';
import { isStepWaits, type TaskPace } from '../../contract/task-pace.ts';
import type { SteeringEntry, Tracker } from '../../contract/tasks.ts';
import { type WaitsFor, waitsJson, waitsText } from '../../contract/waits.ts';
import { PaceWindow } from './pace-window.ts';
import { RecentRate } from './recent-rate.ts';
import type { TaskSpec } from './spec.ts';
import { textOrNull } from './text-or-null.ts';
import { createTracker } from './tracker-state.ts';
import { currentDetails, isAnnounced, isMarkedFailed, listedFacts } from './tracker-views.ts';
import type { Hold, TaskContext } from './types.ts';

const PUBLISH_EVERY_MS = 5_000;
/** Max. activities whose waits are known at a time: more than a reindex has. */
const MAX_WAITS = 200;

/** Statuses that a pause can hide; the task returns to the hidden one afterwards. */
const PAUSABLE: readonly TaskStatus[] = ['processing', 'waiting', 'failed'];

/**
 * Keeps a task's tracker and publishes it: as search attributes and memo for lists, as current details for the Temporal
 * UI. Allows only the status changes in the contract's table.
 */
export class TrackerKeeper {
  readonly tracker: Tracker;
  private readonly spec: TaskSpec;
  private quiet: boolean;
  /** True if type, indexes and parent are set; the starter of the workflow may have done it. */
  private announced: boolean;
  /** Whether the search attributes say that items have failed. */
  private markedFailed: boolean;
  private publishedMs = 0;
  private readonly recentRate: RecentRate;
  /** The detail without what the task waits for. */
  private ownDetail = '';
  private readonly paceWindow = new PaceWindow();
  private readonly waits = new Map<string, WaitsFor>();
  /** The progress of a build, as text. */
  private build = '';
  /** The status and detail that the pause hides. */
  private beforePause: Pick<Tracker, 'status' | 'detail'> | null = null;

  constructor(info: WorkflowInfo, spec: TaskSpec) {
    this.tracker = createTracker(info, spec);
    this.spec = spec;
    this.quiet = spec.quiet ?? false;
    this.announced = isAnnounced(info, spec);
    this.markedFailed = isMarkedFailed(info);
    this.recentRate = new RecentRate(this.tracker.progress.done, Date.now());
    this.forgetWaits();
  }

  /** The detail, without what the task waits for. */
  get detail(): string {
    return this.ownDetail;
  }

  move(status: TaskStatus, detail: string): void {
    const { tracker } = this;
    if (status !== tracker.status && !mayMove(tracker.status, status)) {
      throw ApplicationFailure.nonRetryable(`a task cannot go from ${tracker.status} to ${status}`, 'Internal');
    }
    tracker.status = status;
    this.describe(detail);
    this.publish();
  }

  setDetail(detail: string): void {
    this.forgetBuild();
    if (this.beforePause) {
      this.beforePause = { ...this.beforePause, detail };
      return;
    }
    this.describe(detail);
    setCurrentDetails(currentDetails(this.tracker));
  }

  /** Updates the progress. The rate is that of the last minute, and the remaining time that at this rate. */
  report({ done, total, failed, data }: Parameters<TaskContext['report']>[0]): void {
    const { tracker } = this;
    const { progress } = tracker;
    if (total !== undefined) progress.total = total;
    if (done !== undefined) progress.done = done;
    if (failed !== undefined) progress.failed = failed;
    if (data) Object.assign(tracker.data, data);
    progress.perSecond = this.recentRate.add(progress.done, Date.now());
    const left = Math.max(0, progress.total - progress.done);
    progress.etaSeconds = progress.perSecond > 0 ? Math.ceil(left / progress.perSecond) : null;
    tracker.updateTime = new Date().toISOString();
    if (Date.now() - this.publishedMs >= PUBLISH_EVERY_MS) this.publish();
    else setCurrentDetails(currentDetails(tracker));
  }

  /** Adds what a step waited for. Slices send it in a signal, which may carry anything. */
  noteWaits(waits: unknown): void {
    if (waits === null) this.paceWindow.clear();
    else if (isStepWaits(waits)) this.paceWindow.add(waits, Date.now());
    else return;
    this.showPace();
  }

  /** Shows what the task stands still for; null once it continues. */
  stand(still: Pick<TaskPace, 'reason' | 'until'> | null): void {
    this.paceWindow.stand(still);
    this.showPace();
  }

  /** Adds no command: the next publication carries it to lists. */
  private showPace(): void {
    this.describe(this.ownDetail);
    setCurrentDetails(currentDetails(this.tracker));
  }

  publishNow(): void {
    if (!this.quiet) return;
    this.quiet = false;
    this.publish();
  }

  setLock(lock: Parameters<TaskContext['setLock']>[0]): void {
    this.tracker.lock = lock?.lock ?? null;
    this.tracker.lockTime = lock?.lockTime ?? null;
    this.tracker.lockExpireTime = lock?.lockExpireTime ?? null;
  }

  /** Prepares for a new run, which inherits the search attributes of this one. */
  publishForNextRun(): void {
    // Lists are sorted by when tasks were created.
    upsertSearchAttributes(searchAttributes({ createTime: this.tracker.createTime }));
  }

  beginAttempt(): void {
    this.recentRate.reset(this.tracker.progress.done, Date.now());
  }

  /** Shows what an activity waits for, or null once it continues. With several, the last is shown. */
  showWaits(key: string, waits: WaitsFor | null): void {
    this.waits.delete(key);
    if (waits) this.waits.set(key, waits);
    // Those that are over are removed; only what nobody ends stays.
    const [oldest] = this.waits.keys();
    if (this.waits.size > MAX_WAITS && oldest !== undefined) this.waits.delete(oldest);
    const last = [...this.waits.values()].at(-1);
    if (last) this.tracker.data.waitsFor = waitsJson(last);
    else delete this.tracker.data.waitsFor;
    if (this.beforePause) return;
    this.describe(this.ownDetail);
    this.quiet = false;
    this.publish();
  }

  /** Shows the progress of a build, or null once it has ended. The next step ends it too. */
  showBuild(progress: BuildProgress | null): void {
    if (progress === null) this.forgetBuild();
    else {
      this.build = buildText(progress);
      this.tracker.data.indexBuild = { ...progress };
    }
    if (this.beforePause) return;
    this.describe(this.ownDetail);
    this.publish();
  }

  private forgetBuild(): void {
    this.build = '';
    delete this.tracker.data.indexBuild;
  }

  private forgetWaits(): void {
    this.waits.clear();
    this.paceWindow.clear();
    delete this.tracker.data.waitsFor;
  }

  /** Ends a failed attempt that another one follows. */
  endAttempt(detail: string): void {
    this.forgetWaits();
    this.forgetBuild();
    this.setLock(null);
    this.quiet = false;
    this.discardPause();
    this.move('failed', detail);
  }

  end(status: TaskStatus, detail: string): void {
    const { tracker } = this;
    this.forgetWaits();
    this.forgetBuild();
    this.setLock(null);
    this.quiet = false;
    this.discardPause();
    if (status === 'done') tracker.progress.etaSeconds = 0;
    this.move(status, detail);
  }

  /** Shows a pause, or returns to the status that it hid. */
  showPause(paused: boolean, why: Hold | null = null): void {
    const { status } = this.tracker;
    const detail = this.ownDetail;
    if (paused && this.beforePause === null && PAUSABLE.includes(status)) {
      this.beforePause = { status, detail };
      this.quiet = false;
      this.move('paused', why === null ? 'paused until it is resumed' : this.heldBecause(why));
    } else if (!paused && this.beforePause !== null) {
      const { beforePause } = this;
      this.beforePause = null;
      this.move(beforePause.status, beforePause.detail);
    }
  }

  /** Discards a pause that came too late to be kept, or that the next checkpoint shows again. */
  private discardPause(): void {
    if (this.beforePause === null) return;
    this.tracker.status = this.beforePause.status;
    this.beforePause = null;
  }

  /** Records who steered the task; a signal may carry anything. */
  noteSteering(call: string, by: unknown, reason?: unknown): void {
    const { tracker } = this;
    const entry: SteeringEntry = {
      time: new Date().toISOString(),
      call,
      by: textOrNull(by, LIMITS.taskIdChars),
      ...(typeof reason === 'string' && { reason: reason.slice(0, LIMITS.detailChars) }),
    };
    tracker.steering = [entry, ...tracker.steering].slice(0, STEERING_KEPT);
  }

  private heldBecause({ type, message }: Hold): string {
    const { id } = this.tracker;
    return `paused because of ${type}: ${message.slice(0, ERROR_BOUNDS.message / 2)}. Once that is mended, resume it: reembed tasks resume ${id}, or PUT /v1/tasks/resume?taskId=${encodeURIComponent(id)}`;
  }

  private describe(detail: string): void {
    this.ownDetail = detail;
    const last = this.beforePause ? undefined : [...this.waits.values()].at(-1);
    const pace = this.beforePause ? null : this.paceWindow.pace(last, this.tracker.data.ratePerSecond);
    if (pace) this.tracker.pace = pace;
    else delete this.tracker.pace;
    const slow = pace === null || pace.share === null ? undefined : pace.text;
    const all = [detail, this.build, last ? waitsText(last) : slow]
      .filter((text) => text !== undefined && text !== '')
      .join('; ');
    this.tracker.detail = all.slice(0, LIMITS.detailChars);
    this.tracker.updateTime = new Date().toISOString();
  }

  private publish(): void {
    const { tracker } = this;
    setCurrentDetails(currentDetails(tracker));
    if (this.quiet) return;
    this.publishedMs = Date.now();
    const facts = listedFacts(tracker, this.spec, this.announced);
    this.announced = true;
    const hasFailedItems = tracker.progress.failed > 0;
    // Most tasks never have one: without a change, the attribute is left out.
    const mark = hasFailedItems === this.markedFailed ? {} : { hasFailedItems };
    this.markedFailed = hasFailedItems;
    upsertSearchAttributes(searchAttributes({ ...facts, ...mark }));
    // Temporal keeps no details of a cancellation: without this, only a worker could tell what the task did.
    const last = tracker.status === 'canceled' && { [LAST_TRACKER]: tracker };
    upsertMemo({ tracker: listRow(tracker), ...last });
  }
}
