import { Context } from '@temporalio/activity';
import { invalidField } from '../../contract/errors.ts';
import { controlQueueOf } from '../../contract/names.ts';
import {
  addSyncCounts,
  noSyncCounts,
  type SyncActivities,
  type SyncCounts,
  type SyncPlace,
  type SyncRequest,
  type SyncResult,
} from '../../contract/source-activities.ts';
import type { IndexRow } from '../../store/schema.ts';
import { findLiveIds } from '../../store/sources/live-ids.ts';
import { sharedReason } from '../../store/sources/rivals.ts';
import { getSource } from '../../store/sources/rows.ts';
import { readTableOf } from '../../store/sources/state.ts';
import { countRows, readKeysAfter } from '../../store/sources/table-rows.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { createIndexWatch } from '../index-watch.ts';
import { createWaitMeter } from '../support/chunk-waits.ts';
import { type Running, runWithHeartbeat } from '../support/heartbeat.ts';
import { InFlight } from '../support/in-flight.ts';
import { createPacer } from '../support/pacer.ts';
import type { OnWait } from '../support/yield-to-live-traffic.ts';
import { isOfRow } from './errors.ts';
import { type SourceWork, SourceWriter } from './source-writer.ts';

/** Rows or objects of one batch, and batches that are written at once. */
const BATCH = 512;
const IN_FLIGHT = 2;
/** Max. seconds of one batch of a sync with a rate. */
const BATCH_SECONDS = 5;

/** Creates the activities of a sync. */
export function createSync(deps: ActivityDependencies): SyncActivities {
  const noteWrite = createIndexWatch(deps);
  return {
    async beginSync(name) {
      const source = await getSource(deps.db, name);
      const db = deps.sources.of(source.definition.connectionEnv);
      return { index: source.definition.index, rows: await countRows(db, await readTableOf(db, source)) };
    },
    syncChunk: (request) =>
      runWithHeartbeat<SyncResult, SyncResult>(async (running) => {
        const queue = controlQueueOf(Context.current().info.taskQueue);
        const meter = createWaitMeter(deps.client);
        const chunk = new SyncChunk(deps, request, { ...running, onRate: meter.onRate }, (index) =>
          noteWrite(index, queue),
        );
        return { ...(await chunk.run()), waits: meter.read() };
      }),
  };
}

/** One run of the activity `syncChunk`. */
class SyncChunk {
  private readonly deps: ActivityDependencies;
  private readonly request: SyncRequest;
  private readonly running: Running<SyncResult> & { onRate: OnWait };
  private readonly onWritten: (index: IndexRow) => void;
  private readonly counts: SyncCounts;
  private place: SyncPlace | null;
  private rows: number;
  /** Batches that are written, in the order of their keys. */
  private readonly begun: { after: string[] | null; rows: number; isDone: boolean }[] = [];

  constructor(
    deps: ActivityDependencies,
    request: SyncRequest,
    running: Running<SyncResult> & { onRate: OnWait },
    onWritten: (index: IndexRow) => void,
  ) {
    this.deps = deps;
    this.request = request;
    this.running = running;
    this.onWritten = onWritten;
    this.counts = running.resumedFrom?.counts ?? noSyncCounts();
    this.rows = running.resumedFrom?.rows ?? 0;
    this.place = running.resumedFrom ? running.resumedFrom.place : request.place;
  }

  async run(): Promise<SyncResult> {
    const { deps, running, request } = this;
    const source = await getSource(deps.db, request.source);
    const shared = await sharedReason(deps.db, source);
    if (shared) throw invalidField('source', shared);
    const db = deps.sources.of(source.definition.connectionEnv);
    const table = await readTableOf(db, source);
    const { signal } = running;
    const work = { taskId: request.taskId, source, table, db, signal, onWritten: this.onWritten };
    const writer = new SourceWriter(deps, work);
    const pace = createPacer(request.ratePerSecond, signal, running.onRate);
    if (this.place?.phase === 'rows') await this.bringRows(writer, work, pace);
    if (this.place?.phase === 'objects') await this.compareObjects(writer, work, pace);
    return { counts: this.counts, rows: this.rows, place: this.place };
  }

  /** Syncs rows in the order of the key. The place does not pass a batch that is not written. */
  private async bringRows(
    writer: SourceWriter,
    work: SourceWork,
    pace: (rows: number) => Promise<void>,
  ): Promise<void> {
    let after = this.place?.after ?? null;
    // A slow one does not hold up a pause for long.
    const limit = Math.min(BATCH, Math.max(1, Math.round((this.request.ratePerSecond ?? BATCH) * BATCH_SECONDS)));
    const batches = new InFlight(IN_FLIGHT);
    try {
      for (let isLast = false; !isLast && !this.running.isTimeUp(); ) {
        const batch = await this.readRows(writer, work, after, limit);
        ({ isLast } = batch);
        after = batch.keys.at(-1) ?? after;
        const place = after;
        await batches.add(() => this.write(place, batch));
        await pace(batch.keys.length);
        if (!isLast) continue;
        await batches.end();
        this.place = { phase: 'objects', after: null };
      }
      await batches.end();
    } finally {
      // Nothing is written after the activity has ended.
      await batches.settle();
    }
  }

  /** Reads the next rows. If what is in one of them prevents it, each is synced by its key. */
  private async readRows(writer: SourceWriter, { db, table }: SourceWork, after: string[] | null, limit: number) {
    try {
      return await writer.readAfter(after, limit);
    } catch (error) {
      if (!isOfRow(error)) throw error;
      const keys = await readKeysAfter(db, table, { after, limit });
      const write = async () => {
        await writer.bringAll(keys);
        return noSyncCounts();
      };
      return { keys, isLast: keys.length < limit, write };
    }
  }

  private async write(
    after: string[] | null,
    { keys, write }: { keys: string[][]; write: () => Promise<SyncCounts> },
  ): Promise<void> {
    const batch = { after, rows: keys.length, isDone: false };
    this.begun.push(batch);
    addSyncCounts(this.counts, await write());
    batch.isDone = true;
    while (this.begun[0]?.isDone) this.advance(this.begun.shift() as typeof batch);
  }

  /** Deletes the objects that have no row: those of rows that were deleted while nobody followed. */
  private async compareObjects(
    writer: SourceWriter,
    { source }: SourceWork,
    pace: (objects: number) => Promise<void>,
  ): Promise<void> {
    while (this.place && !this.running.isTimeUp()) {
      const after = this.place.after?.[0] ?? null;
      const ids = await findLiveIds(this.deps.db, source.definition.index, { after, limit: BATCH });
      addSyncCounts(this.counts, await writer.deleteGone(ids));
      const last = ids.at(-1);
      if (last === undefined || ids.length < BATCH) this.place = null;
      else this.advance({ after: [last], rows: 0 });
      await pace(ids.length);
    }
  }

  private advance({ after, rows }: { after: string[] | null; rows: number }): void {
    if (!this.place) return;
    this.place = { ...this.place, after };
    this.rows += rows;
    this.running.beat({ counts: { ...this.counts }, rows: this.rows, place: this.place });
  }
}
