import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { LIMITS } from '../../contract/limits.ts';
import { controlQueueOf, followerIdOf } from '../../contract/names.ts';
import type { FollowRequest, FollowResult } from '../../contract/source-activities.ts';
import type { SourceDefinition, SourceState } from '../../contract/sources.ts';
import type { Db } from '../../store/database.ts';
import type { IndexRow } from '../../store/schema.ts';
import { adoptPartitions, adoptShape } from '../../store/sources/adopt.ts';
import { readDrift } from '../../store/sources/drift.ts';
import { sharedReason } from '../../store/sources/rivals.ts';
import { findSource, noteMovesSynced, type SourceRow } from '../../store/sources/rows.ts';
import { readTableOf, reportState } from '../../store/sources/state.ts';
import { startSync } from '../../temporal/sources.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { createIndexWatch } from '../index-watch.ts';
import { type Running, runWithHeartbeat } from '../support/heartbeat.ts';
import { Ears } from './ears.ts';
import { SourceChanged, SourceStopped, stopOf, waitReasonOf } from './errors.ts';
import { type Comparison, Follower } from './follower.ts';
import { Poller } from './poller.ts';
import { backlogReason } from './tend.ts';

/** An activity follows this long; then another one does, which may be on another worker. */
const FOLLOW_MS = 600_000;
/** While it compares all objects, which the next activity would begin again. */
const MAX_FOLLOW_MS = 20 * 3_600_000;
/** How often the definition and the table are looked at again. */
const LOOK_MS = 10_000;
/** Pause between two polls of a table without triggers. */
const POLL_MS = 5_000;
const BACK_OFF_MS = { first: 250, max: 15_000 };

/** Creates the activity that follows a source: it syncs changes as they come. */
export function createFollow(deps: ActivityDependencies) {
  const noteWrite = createIndexWatch(deps);
  return (request: FollowRequest): Promise<FollowResult> =>
    runWithHeartbeat<Comparison | null, FollowResult>(async (running) => {
      const queue = controlQueueOf(Context.current().info.taskQueue);
      const following = new Following(deps, request, running, (index) => noteWrite(index, queue));
      return following.run();
    });
}

/** One run of the activity. */
class Following {
  private readonly deps: ActivityDependencies;
  private readonly request: FollowRequest;
  private readonly running: Running<Comparison | null>;
  private readonly onWritten: (index: IndexRow) => void;
  private readonly ears = new Ears();
  private follower: Follower | Poller | undefined;
  /** As it was when it was looked at last. */
  private definition: SourceDefinition | undefined;
  /** Times of rows that a poll has synced. */
  private readonly seen = new Map<string, string>();
  /** 0: it must be looked at before anything else. */
  private lookedMs = 0;
  /** What was stored last as the state. */
  private shown = '';
  private backOffMs = BACK_OFF_MS.first;

  constructor(
    deps: ActivityDependencies,
    request: FollowRequest,
    running: Running<Comparison | null>,
    onWritten: (index: IndexRow) => void,
  ) {
    this.deps = deps;
    this.request = request;
    this.running = running;
    this.onWritten = onWritten;
  }

  async run(): Promise<FollowResult> {
    const { signal } = this.running;
    try {
      const startMs = Date.now();
      while (Date.now() - startMs < (this.isComparing() ? MAX_FOLLOW_MS : FOLLOW_MS)) {
        signal.throwIfAborted();
        const end = await this.step().catch((error) => this.waitOut(error));
        if (end) return end;
      }
      return { kind: 'more' };
    } finally {
      await this.ears.close();
    }
  }

  private isComparing(): boolean {
    return this.follower !== undefined && this.follower.comparison !== null;
  }

  /** Syncs some changes, or waits for one. Returns how following ends, if it does. */
  private async step(): Promise<FollowResult | undefined> {
    const { running, ears } = this;
    if (this.lookedMs === 0 && !(await this.look())) return { kind: 'ended' };
    const follower = this.follower as Follower | Poller;
    const isBusy = await follower.step().finally(() => running.beat(follower.comparison));
    await this.show('following');
    this.backOffMs = BACK_OFF_MS.first;
    // A change that has come does not wait for this.
    if (Date.now() - this.lookedMs > LOOK_MS && !(await this.look())) return { kind: 'ended' };
    if (!isBusy) await ears.wait(running.signal, follower instanceof Poller ? POLL_MS : undefined);
    return undefined;
  }

  /** Looks at the definition and the table. Returns false if the source is gone or was stopped. */
  private async look(): Promise<boolean> {
    const { deps, request, running } = this;
    const source = await findSource(deps.db, request.name);
    if (source?.no !== request.no || source.state === 'stopped') return false;
    this.definition = source.definition;
    const { connectionEnv } = source.definition;
    const db = deps.sources.of(connectionEnv);
    const isPolled = source.definition.follow === 'poll';
    if (!isPolled) await this.ears.open(db, deps.sources.urlOf(connectionEnv), source.no);
    await this.lookAtTable(db, source);
    // Someone may have set another state.
    if (source.state !== 'following') this.shown = '';
    const work = {
      taskId: followerIdOf(source.name),
      source,
      table: await readTableOf(db, source),
      db,
      signal: running.signal,
      onWritten: this.onWritten,
    };
    const comparison = this.follower ? this.follower.comparison : (running.resumedFrom ?? null);
    this.follower = isPolled ? new Poller(deps, work, this.seen) : new Follower(deps, work, comparison);
    this.lookedMs = Date.now();
    return true;
  }

  /** Compares the table and the alias with what they were. New partitions get triggers; a sync writes what nothing recorded. */
  private async lookAtTable(db: Db, source: SourceRow): Promise<void> {
    const { deps } = this;
    const shared = await sharedReason(deps.db, source);
    if (shared) throw new SourceStopped('index-shared', shared);
    const drift = await readDrift(db, source);
    if (drift.kind === 'stopped') throw new SourceStopped('table-changed', drift.reason);
    const full = await backlogReason(deps, db, source);
    if (full) throw new SourceStopped('too-many-changes', full);
    const isMoved = source.aliasMoves > source.syncedMoves;
    if (drift.kind !== 'none' || isMoved) {
      // The sync comes first: if this dies in between, it is started twice.
      await startSync(deps.client, { ...this.request, taskQueue: controlQueueOf(Context.current().info.taskQueue) });
    }
    if (isMoved) await noteMovesSynced(deps.db, source);
    if (drift.kind === 'partitions') await adoptPartitions(deps.db, db, source, drift.partitions);
    else if (drift.shape) await adoptShape(deps.db, source, drift.shape);
  }

  /** Shows what following waits for, and waits for a while; ends it if waiting does not help. */
  private async waitOut(error: unknown): Promise<FollowResult | undefined> {
    const { running, deps, request } = this;
    if (running.signal.aborted) throw error;
    // The next look finds what has changed.
    this.lookedMs = 0;
    if (error instanceof SourceChanged) return undefined;
    const stop = stopOf(error);
    if (stop) {
      await this.show('stopped', `${stop.reason}: ${stop.message}`);
      return { kind: 'stopped' };
    }
    deps.log.warn({ source: request.name, err: error }, 'following a source waits');
    await this.show('waiting', waitReasonOf(error, this.definition).slice(0, LIMITS.detailChars)).catch(() => {});
    await delay(this.backOffMs, undefined, { signal: running.signal });
    this.backOffMs = Math.min(BACK_OFF_MS.max, this.backOffMs * 2);
    return undefined;
  }

  private async show(state: SourceState, reason: string | null = null): Promise<void> {
    const shown = `${state} ${reason}`;
    if (this.shown === shown) return;
    await reportState(this.deps.db, this.request.no, { state, reason });
    this.shown = shown;
  }
}
