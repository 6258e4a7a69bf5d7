import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { ForwardRange, WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { controlQueueOf } from '../contract/names.ts';
import type { Deletion, Item } from '../contract/objects.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { countFailedItems } from '../metrics/activities.ts';
import { prepareObjects } from '../pipeline/prepare.ts';
import { requireWritable } from '../store/admission.ts';
import { type ObjectWrite, storedHashes, type WriteOutcome, writeLive } from '../store/protocol/write.ts';
import type { IndexRow } from '../store/schema.ts';
import { clearFailed, findFinished, readStaged, recordFailed } from '../store/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { forwardAtOnce } from './forward.ts';
import { createIndexWatch, isVectorIndexDue } from './index-watch.ts';
import { isLocal, patiently, type Running, runWithHeartbeat } from './running.ts';

/** Items embedded and written together, with all that Postgres is asked for each time; of large ones fewer. */
const WRITE_BATCH = 512;

/** While a cut-over drains, a writer looks again this often, and after so many tries leaves the waiting to a timer. */
const DRAIN_POLL_MS = 50;
const DRAIN_POLLS = 20;

/** A local activity does not wait longer for the limits of a model: a regular one then does. */
const LOCAL_WAIT_MS = 1_000;

/** The activity `writeChunk`: loads, embeds and writes a task's items until its time is up or it is held back. */
export function createWriteChunk(deps: ActivityDependencies) {
  const noteWrite = createIndexWatch(deps);
  return (request: WriteChunkRequest): Promise<WriteChunkResult> =>
    runWithHeartbeat<WriteChunkResult, WriteChunkResult>(async (running) => {
      const result: WriteChunkResult = running.resumedFrom ?? {
        nextSeq: request.fromSeq,
        counts: { written: 0, unchanged: 0, stale: 0, failed: 0 },
        heldBackMs: 0,
        forwards: [],
        blocked: null,
        vectorIndexDue: null,
      };
      const batch = new Batch(deps, request, running);
      while (result.nextSeq < request.toSeq && !running.isTimeUp()) {
        const blocked = await batch.write(result);
        if (blocked) return { ...result, blocked };
        running.beat(result);
      }
      if (isLocal() && result.forwards.length > 0) await forwardAtOnce(deps, request, result, running.signal);
      // Few items do not wait for an HNSW index that has become due.
      if (request.isWhole || request.onlyFailed) {
        if (batch.index) noteWrite(batch.index, controlQueueOf(Context.current().info.taskQueue));
        return result;
      }
      const index = await requireWritable(deps.db, request.index);
      if (await isVectorIndexDue(deps.db, index, deps.settings.vectorIndexAfterParts)) result.vectorIndexDue = index.no;
      return result;
    });
}

interface Prepared {
  objects: ObjectWrite[];
  failed: FailedItem[];
}

/** Writes one batch of staged items after another. */
class Batch {
  private readonly deps: ActivityDependencies;
  private readonly request: WriteChunkRequest;
  private readonly running: Running<WriteChunkResult>;
  /** When the first try began that a cut-over held back; null: none was. */
  private heldFromMs: number | null = null;
  /** Where the last batch was written. Whether that is still right, the write itself finds out. */
  index: IndexRow | undefined;

  constructor(deps: ActivityDependencies, request: WriteChunkRequest, running: Running<WriteChunkResult>) {
    this.deps = deps;
    this.request = request;
    this.running = running;
  }

  /** Writes the next batch and adds it to the result, or returns what holds it back. */
  async write(result: WriteChunkResult): Promise<WriteChunkResult['blocked']> {
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
    if (!last) return this.takeFinished(result);
    const items = rows.map((row) => row.item);

    this.heldFromMs = null;
    const { outcome, prepared, index } = await this.writeWhereItServes(items);
    if (this.heldFromMs !== null) result.heldBackMs += Date.now() - this.heldFromMs;
    if (outcome.kind === 'draining') return { kind: 'draining' };
    if (outcome.kind === 'locked') return outcome;

    const again = await this.writeChanged(items, outcome, index);
    const failed = [
      ...prepared.failed,
      ...again.failed,
      ...[...outcome.beyondRetention, ...again.beyondRetention].map(staleBeyondRetention),
    ];
    const written = [...outcome.written, ...again.written];
    const byId = new Map(items.map((item) => [item.id, item]));
    await recordFailed(
      db,
      taskId,
      failed.map((item) => ({ ...item, item: byId.get(item.objectId) })),
    );
    countFailedItems(this.deps.metrics, failed);
    if (triedBefore) await clearFailed(db, taskId, written);

    const unchanged = new Set(prepared.objects.filter(({ kind }) => kind === 'unchanged').map(({ id }) => id));
    result.counts.written += written.length;
    result.counts.unchanged += outcome.written.filter((id) => unchanged.has(id)).length;
    result.counts.stale += outcome.stale.length + again.stale.length;
    result.counts.failed += failed.length;
    if (outcome.forwardTo) {
      const { indexNo: destNo, lock } = outcome.forwardTo;
      addForward(result.forwards, { fromSeq: result.nextSeq, toSeq: last.seq + 1, sourceNo: index.no, destNo, lock });
    }
    result.nextSeq = last.seq + 1;
    result.isDropped = outcome.isFinished;
    return null;
  }

  /** Of a task that was carried out by a worker which died before Temporal knew: it is known how that ended. */
  private async takeFinished(result: WriteChunkResult): Promise<null> {
    const { staging, fromSeq, toSeq } = this.request;
    const counts = await findFinished(this.deps.db, staging);
    if (!counts || counts.written + counts.stale !== toSeq - fromSeq) {
      throw new ReembedError('TaskClosed', 'the items of this task are no longer there: send them again');
    }
    Object.assign(result, { nextSeq: toSeq, counts, isDropped: true });
    return null;
  }

  /** Embeds for the index that serves and writes there; again for the new one when the alias was switched meanwhile. */
  private async writeWhereItServes(
    items: (Item & Deletion)[],
  ): Promise<{ outcome: Exclude<WriteOutcome, { kind: 'moved' }>; prepared: Prepared; index: IndexRow }> {
    const { db } = this.deps;
    for (;;) {
      this.index ??= await requireWritable(db, this.request.index);
      const { index } = this;
      const prepared = await this.prepare(items, index, { reuse: true });
      const finishes = this.request.isWhole && prepared.failed.length === 0 ? this.request.staging : null;
      const outcome = await this.writeUnlessDraining(index, prepared.objects, finishes);
      if (outcome.kind !== 'moved') return { outcome, prepared, index };
      this.index = undefined;
    }
  }

  private async writeUnlessDraining(
    index: IndexRow,
    objects: ObjectWrite[],
    finishes: string | null,
  ): Promise<WriteOutcome> {
    const { index: target, onReindex } = this.request;
    for (let poll = 1; ; poll++) {
      const fromMs = Date.now();
      const outcome = await writeLive(this.deps.db, { target, indexNo: index.no, objects, onReindex, finishes });
      if (outcome.kind === 'draining' || outcome.kind === 'moved') this.heldFromMs ??= fromMs;
      if (outcome.kind !== 'draining' || poll >= DRAIN_POLLS) return outcome;
      await delay(DRAIN_POLL_MS, undefined, { signal: this.running.signal });
    }
  }

  /** Embeds and writes the objects whose stored content changed between the look at its hash and the write. */
  private async writeChanged(items: (Item & Deletion)[], outcome: { changed: string[] }, index: IndexRow) {
    const sum = {
      written: [] as string[],
      stale: [] as string[],
      beyondRetention: [] as string[],
      failed: [] as FailedItem[],
    };
    if (outcome.changed.length === 0) return sum;
    const changed = new Set(outcome.changed);
    const prepared = await this.prepare(
      items.filter(({ id }) => changed.has(id)),
      index,
      { reuse: false },
    );
    const second = await this.writeUnlessDraining(index, prepared.objects, null);
    // Moved or drained just now: the whole batch is tried again; what was written already counts as written.
    if (second.kind !== 'written') throw new ReembedError('NotCurrent', 'the index was switched during the write');
    return { ...second, failed: prepared.failed };
  }

  private async prepare(
    items: readonly (Item & Deletion)[],
    index: IndexRow,
    options: { reuse: boolean },
  ): Promise<Prepared> {
    const { db, models, loader } = this.deps;
    const { kind, version: taskVersion } = this.request;
    const versions = new Map(items.map((item) => [item.id, item.version ?? taskVersion]));
    const versionOf = (id: string) => versions.get(id) ?? taskVersion;
    if (kind === 'delete') {
      return { objects: items.map(({ id }) => ({ kind: 'tombstone', id, version: versionOf(id) })), failed: [] };
    }
    const { ready, failed } = await patiently(this.running.signal, () =>
      prepareObjects(items, {
        config: index,
        embedder: models.embedder(index.model),
        loader,
        signal: this.running.signal,
        maxWaitMs: isLocal() ? LOCAL_WAIT_MS : undefined,
        known: options.reuse ? (ids) => storedHashes(db, index.no, ids) : undefined,
      }),
    );
    return {
      objects: ready.map(({ unchanged, ...object }) => ({
        ...object,
        version: versionOf(object.id),
        kind: unchanged ? 'unchanged' : 'content',
      })),
      failed,
    };
  }
}

function staleBeyondRetention(objectId: string): FailedItem {
  return {
    objectId,
    stage: 'write',
    reason: 'stale-beyond-retention',
    detail: 'older than tombstones that are gone: nobody can say whether the object was deleted since',
  };
}

/** Adds a stretch, joined to the one before where it goes on. */
function addForward(forwards: ForwardRange[], range: ForwardRange): void {
  const before = forwards.at(-1);
  if (before && before.toSeq === range.fromSeq && before.lock === range.lock) before.toSeq = range.toSeq;
  else forwards.push(range);
}
