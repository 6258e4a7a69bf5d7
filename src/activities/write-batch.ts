import { setTimeout as delay } from 'node:timers/promises';
import type { ForwardRange, WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { jsonBytes } from '../contract/json.ts';
import type { Deletion, Item } from '../contract/objects.ts';
import type { FailedItem } from '../contract/tasks.ts';
import type { Hold } from '../cpu/byte-budget.ts';
import { countFailedItems } from '../metrics/activities.ts';
import { storedPayloads } from '../pipeline/payload-memory.ts';
import { requireAccepted, whileBound } from '../store/admission.ts';
import { noteFailures, type Writer } from '../store/protocol/history.ts';
import { type ForwardTarget, type WriteOutcome, writeLive } from '../store/protocol/live-write.ts';
import type { ObjectWrite } from '../store/protocol/object-write.ts';
import { MAX_READ_BYTES } from '../store/read-size.ts';
import type { IndexRow } from '../store/schema.ts';
import { clearFailed, findFinished, readStaged, recordFailed, weighStaged } from '../store/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { prepareWrites } from './prepare-writes.ts';
import { isLocal, type Running } from './support/heartbeat.ts';
import { holdItems } from './support/hold-items.ts';

/** Max items embedded and written together, with all their queries to Postgres; fewer if they are large. */
const WRITE_BATCH = 512;

/** Interval and number of a writer's retries during a drain; after that a timer takes over. */
const DRAIN_POLL_MS = 50;
const DRAIN_POLLS = 20;

/** Results of the items of a batch so far. */
export interface Tally {
  written: string[];
  unchanged: number;
  stale: string[];
  failed: number;
  reused: number;
  truncated: number;
  forwardTo: (ForwardTarget & { sourceNo: number })[];
  isFinished: boolean;
}

interface WriteOptions {
  /** What is stored with the hash of an item is taken for that item, and only its metadata is written; default: true. */
  trustsHashes?: boolean;
  /** The version was drawn a moment ago; default: in a local activity. */
  areFresh?: boolean;
}

/** Writes staged items, one batch after another. */
export class WriteBatch {
  private readonly deps: ActivityDependencies;
  private readonly request: WriteChunkRequest;
  private readonly running: Pick<Running<WriteChunkResult>, 'signal'>;
  private readonly options: Required<WriteOptions>;
  /** Start of the first write that a cut-over blocked; null if none was. */
  private heldFromMs: number | null = null;
  private hasWritten = false;
  /** The index of the last batch. Each write checks whether it still serves. */
  index: IndexRow | undefined;

  constructor(
    deps: ActivityDependencies,
    request: WriteChunkRequest,
    running: Pick<Running<WriteChunkResult>, 'signal'>,
    options: WriteOptions = {},
  ) {
    this.deps = deps;
    this.request = request;
    this.running = running;
    this.options = { trustsHashes: true, areFresh: isLocal(), ...options };
  }

  private get writer(): Writer {
    return { taskId: this.request.taskId, by: this.request.by ?? null };
  }

  /** Writes the next batch and adds it to the result, or returns what blocks it. */
  async write(result: WriteChunkResult): Promise<WriteChunkResult['blocked']> {
    const memory = storedPayloads.tryHold(MAX_READ_BYTES) ?? (await this.holdByWeight(result.nextSeq));
    try {
      return await this.writeNext(result, memory);
    } finally {
      memory.release();
    }
  }

  /** Takes memory when it is scarce, by the weight of the next items. */
  private async holdByWeight(fromSeq: number): Promise<Hold> {
    const { staging, toSeq } = this.request;
    const bytes = await weighStaged(this.deps.db, staging, { fromSeq, toSeq, limit: WRITE_BATCH });
    return holdItems(bytes, this.running.signal);
  }

  private async writeNext(result: WriteChunkResult, memory: Hold): Promise<WriteChunkResult['blocked']> {
    const { db } = this.deps;
    const { taskId, staging, toSeq, triedBefore, onlyFailed } = this.request;
    const rows = await readStaged<Item & Deletion>(db, staging, {
      fromSeq: result.nextSeq,
      toSeq,
      limit: WRITE_BATCH,
      failedOf: onlyFailed ? taskId : null,
    });
    const last = rows.at(-1);
    if (!last && onlyFailed) {
      result.nextSeq = toSeq;
      return null;
    }
    if (!last) return this.resumeFinished(result);
    const items = rows.map((row) => row.item);
    memory.shrink(jsonBytes(items));

    this.heldFromMs = null;
    const { tally, blocked } = await this.writeItems(items);
    if (this.heldFromMs !== null) result.heldBackMs += Date.now() - this.heldFromMs;
    if (blocked) return blocked;
    // Items that a newer version has overtaken are no longer failed either.
    if (triedBefore) await clearFailed(db, taskId, [...tally.written, ...tally.stale]);

    result.counts.written += tally.written.length;
    result.counts.unchanged += tally.unchanged;
    result.counts.stale += tally.stale.length;
    result.counts.failed += tally.failed;
    result.counts.reused = (result.counts.reused ?? 0) + tally.reused;
    if (tally.truncated > 0) result.counts.truncated = (result.counts.truncated ?? 0) + tally.truncated;
    for (const { sourceNo, indexNo: destNo, lock } of tally.forwardTo) {
      addForward(result.forwards, { fromSeq: result.nextSeq, toSeq: last.seq + 1, sourceNo, destNo, lock });
    }
    result.nextSeq = last.seq + 1;
    result.isDropped = tally.isFinished;
    return null;
  }

  /** Takes the recorded counts of a task that a worker finished before it died without reporting it. */
  private async resumeFinished(result: WriteChunkResult): Promise<null> {
    const { staging, fromSeq, toSeq } = this.request;
    const counts = await findFinished(this.deps.db, staging);
    if (!counts || counts.written + counts.stale !== toSeq - fromSeq) {
      throw new ReembedError('TaskClosed', 'the items of this task are no longer there: send them again');
    }
    Object.assign(result, { nextSeq: toSeq, counts, isDropped: true });
    return null;
  }

  /** Writes items that are not staged, or returns what blocks them. */
  async writeItems(
    items: readonly (Item & Deletion)[],
  ): Promise<{ tally: Tally; blocked: WriteChunkResult['blocked'] }> {
    const tally: Tally = {
      ...{ written: [], unchanged: 0, stale: [], failed: 0 },
      ...{ reused: 0, truncated: 0, forwardTo: [], isFinished: false },
    };
    return { tally, blocked: await this.writeWhereItServes(items, tally) };
  }

  /** Embeds and writes for the index that serves, and again for the new one if the alias moves during that. */
  private async writeWhereItServes(
    items: readonly (Item & Deletion)[],
    tally: Tally,
  ): Promise<WriteChunkResult['blocked']> {
    for (let left = items; ; ) {
      this.index ??= await requireAccepted(this.deps.db, this.request.index, this.request.indexNo);
      const done = new Set<string>();
      const outcome = await this.writePortions(this.index, left, { tally, done });
      if (outcome === null) return null;
      if (outcome.kind === 'draining') return { kind: 'draining' };
      if (outcome.kind === 'locked') return outcome;
      this.index = undefined;
      // What was written to the old index has been forwarded or copied to the new one.
      left = left.filter(({ id }) => !done.has(id));
    }
  }

  /** Writes items as they are embedded; returns null when all are written, otherwise what stopped it. */
  private async writePortions(
    index: IndexRow,
    items: readonly (Item & Deletion)[],
    { tally, done }: { tally: Tally; done: Set<string> },
  ): Promise<Exclude<WriteOutcome, { kind: 'written' }> | null> {
    for await (const portion of this.prepare(items, index, this.options.trustsHashes)) {
      const isAll = portion.objects.length === this.request.toSeq - this.request.fromSeq;
      const finishes = this.request.isWhole && isAll ? this.request.staging : null;
      const outcome = await this.writeUnlessDraining(index, portion.objects, finishes);
      if (outcome.kind !== 'written') return outcome;
      this.hasWritten ||= portion.objects.some(({ kind }) => kind !== 'overtaken');
      const again = await this.writeChanged(items, outcome, index);
      const beyondRetention = [...outcome.beyondRetention, ...again.beyondRetention];
      const failed = [...portion.failed, ...again.failed];
      await this.recordFailed(index, items, [...failed, ...beyondRetention.map(staleBeyondRetention)]);
      const unchanged = new Set(portion.objects.filter(({ kind }) => kind === 'unchanged').map(({ id }) => id));
      tally.written.push(...outcome.written, ...again.written);
      tally.unchanged += outcome.written.filter((id) => unchanged.has(id)).length;
      tally.stale.push(...outcome.stale, ...again.stale);
      tally.failed += failed.length + beyondRetention.length;
      tally.reused += portion.reused;
      tally.truncated += portion.truncated;
      tally.isFinished ||= outcome.isFinished;
      const { forwardTo } = outcome;
      if (forwardTo && tally.forwardTo.every(({ lock }) => lock !== forwardTo.lock)) {
        tally.forwardTo.push({ ...forwardTo, sourceNo: index.no });
      }
      for (const { id } of portion.objects) done.add(id);
      for (const { objectId } of portion.failed) done.add(objectId);
    }
    return null;
  }

  private async recordFailed(
    index: IndexRow,
    items: readonly (Item & Deletion)[],
    failed: readonly FailedItem[],
  ): Promise<void> {
    if (failed.length === 0) return;
    const byId = new Map(items.map((item) => [item.id, item]));
    const versionOf = (id: string) => byId.get(id)?.version ?? this.request.version;
    const failures = failed.map(({ objectId, reason }) => ({ objectId, reason, version: versionOf(objectId) }));
    await noteFailures(this.deps.db, index.no, failures, this.writer);
    await recordFailed(
      this.deps.db,
      this.request.taskId,
      failed.map((item) => ({ ...item, item: byId.get(item.objectId) })),
    );
    countFailedItems(this.deps.metrics, failed);
  }

  private async writeUnlessDraining(
    index: IndexRow,
    objects: ObjectWrite[],
    finishes: string | null,
  ): Promise<WriteOutcome> {
    const { index: target, indexNo } = this.request;
    // A task that refuses a reindex does so before its first write.
    const onReindex = this.request.onReindex === 'refuse' && this.hasWritten ? 'forward' : this.request.onReindex;
    for (let poll = 1; ; poll++) {
      const fromMs = Date.now();
      const request = { target, indexNo: index.no, objects, onReindex, finishes, writer: this.writer };
      const outcome = await whileBound(target, indexNo, () => writeLive(this.deps.db, request));
      if (outcome.kind === 'draining' || outcome.kind === 'moved') this.heldFromMs ??= fromMs;
      if (outcome.kind !== 'draining' || poll >= DRAIN_POLLS) return outcome;
      await delay(DRAIN_POLL_MS, undefined, { signal: this.running.signal });
    }
  }

  /** Embeds and writes the objects whose stored content changed between the hash check and the write. */
  private async writeChanged(
    items: readonly (Item & Deletion)[],
    outcome: { changed: string[] },
    index: IndexRow,
  ): Promise<{ written: string[]; stale: string[]; beyondRetention: string[]; failed: FailedItem[] }> {
    const sum = {
      written: [] as string[],
      stale: [] as string[],
      beyondRetention: [] as string[],
      failed: [] as FailedItem[],
    };
    if (outcome.changed.length === 0) return sum;
    const changed = new Set(outcome.changed);
    const again = items.filter(({ id }) => changed.has(id));
    for await (const portion of this.prepare(again, index, false)) {
      const second = await this.writeUnlessDraining(index, portion.objects, null);
      // The whole batch is retried; what was already written counts as written.
      if (second.kind !== 'written') throw new ReembedError('NotCurrent', 'the alias was moved during the write');
      sum.written.push(...second.written);
      sum.stale.push(...second.stale);
      sum.beyondRetention.push(...second.beyondRetention);
      sum.failed.push(...portion.failed);
    }
    return sum;
  }

  private prepare(items: readonly (Item & Deletion)[], index: IndexRow, reuse: boolean) {
    const { deps, request, running } = this;
    const { areFresh } = this.options;
    return prepareWrites(items, index, { deps, request, signal: running.signal, reuse, areFresh });
  }
}

function staleBeyondRetention(objectId: string): FailedItem {
  return {
    objectId,
    stage: 'write',
    reason: 'stale-beyond-retention',
    detail: 'older than tombstones that were removed: it is unknown whether the object was deleted since',
  };
}

/** Adds a range, or extends the last one if it continues there. */
function addForward(forwards: ForwardRange[], range: ForwardRange): void {
  const before = forwards.at(-1);
  if (before && before.toSeq === range.fromSeq && before.lock === range.lock) before.toSeq = range.toSeq;
  else forwards.push(range);
}
