import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.ts';
import { jsonBytes } from '../../contract/json.ts';
import type { Deletion, Item } from '../../contract/objects.ts';
import type { SyncCounts } from '../../contract/source-activities.ts';
import { objectIdOf } from '../../contract/source-text.ts';
import type { FailedItem } from '../../contract/tasks.ts';
import { countFailedItems } from '../../metrics/activities.ts';
import type { Db } from '../../store/database.ts';
import { nextVersion } from '../../store/protocol/versions.ts';
import type { IndexRow } from '../../store/schema.ts';
import type { SourceRow } from '../../store/sources/rows.ts';
import { isUnchanged } from '../../store/sources/state.ts';
import { type ReadTable, readRowsAfter, readRowsByKey, type TableRow } from '../../store/sources/table-rows.ts';
import { clearFailed, hasFailed, recordFailed } from '../../store/staging.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { holdItems } from '../support/hold-items.ts';
import { WriteBatch } from '../write-batch.ts';
import { isOfRow, SourceChanged } from './errors.ts';
import { findingEach } from './finding-each.ts';
import { Forwarding } from './forwarding.ts';
import { findGone } from './gone.ts';
import { itemOfRow } from './item-of-row.ts';

/** Interval of a writer that a cut-over blocks. */
const DRAIN_WAIT_MS = 250;

export interface SourceWork {
  /** Whose failed list gets the rows that cannot be embedded. */
  taskId: string;
  source: SourceRow;
  table: ReadTable;
  /** The database of the table. */
  db: Db;
  signal: AbortSignal;
  onWritten: (index: IndexRow) => void;
  /** Writes objects again even if the hash of their content is stored; default: false. */
  distrustsHashes?: boolean;
}

/**
 * Brings objects to the state of their rows, through the pipeline and the protocol of any write. The version is drawn
 * before the rows are read: of two writers of an object, the one with the higher version has read the newer row.
 */
export class SourceWriter {
  private readonly deps: ActivityDependencies;
  private readonly work: SourceWork;
  private readonly forwarding: Forwarding;
  /** The failed list may have objects. */
  private mayHaveFailed: boolean | undefined;

  constructor(deps: ActivityDependencies, work: SourceWork) {
    this.deps = deps;
    this.work = work;
    this.forwarding = new Forwarding(deps, work.signal);
  }

  /** Whether rows may be on the failed list. */
  get hasFailed(): boolean {
    return this.mayHaveFailed !== false;
  }

  /**
   * Brings the objects of these keys: writes those with a row that is wanted, deletes the others. Returns the keys whose
   * rows were too many bytes for one read.
   */
  async bring(keys: readonly string[][]): Promise<string[][]> {
    const { db, table } = this.work;
    const { version, found } = await this.versioned(() => readRowsByKey(db, table, keys));
    const { rows, left } = found;
    const known = new Set([...rows.map(({ key }) => key), ...left].map(objectIdOf));
    const gone = keys.map(objectIdOf).filter((id) => !known.has(id));
    await this.write(version, rows, gone);
    return left;
  }

  /** As `bring`, but a row that cannot be read or written is put on the failed list, and hinders no other. */
  async bringEach(keys: readonly string[][]): Promise<string[][]> {
    const left: string[][] = [];
    await findingEach(keys, isOfRow, {
      work: async (some) => void left.push(...(await this.bring(some))),
      alone: (key, error) => this.fail(key, error),
    });
    return left;
  }

  /** As `bringEach`, until none is left. */
  async bringAll(keys: readonly string[][]): Promise<void> {
    for (let left = keys; left.length > 0; ) left = await this.bringEach(left);
  }

  /** Reads the next rows in the order of the key. Rows that are not wanted stay as they are. */
  async readAfter(
    after: readonly string[] | null,
    limit: number,
  ): Promise<{ keys: string[][]; isLast: boolean; write: () => Promise<SyncCounts> }> {
    const { db, table } = this.work;
    const { version, found } = await this.versioned(() => readRowsAfter(db, table, { after, limit }));
    const { rows, isLast } = found;
    const wanted = rows.filter((row) => row.wanted);
    return { keys: rows.map(({ key }) => key), isLast, write: () => this.write(version, wanted, []) };
  }

  /** Deletes those of these objects that have no row, or one that is not wanted. */
  async deleteGone(ids: readonly string[]): Promise<SyncCounts> {
    const { db, table } = this.work;
    const { version, found: gone } = await this.versioned(() => findGone(db, table, ids));
    return this.write(version, [], gone);
  }

  /** Puts a row that cannot be read or written on the failed list. */
  async fail(key: readonly string[], error: unknown): Promise<void> {
    const detail = messageOf(error);
    await this.noteFailed([{ objectId: objectIdOf(key), stage: 'load', reason: 'InvalidInput', detail }], []);
  }

  /**
   * Draws a version, then reads. The definition is compared after the version was drawn: if it changes later, what is
   * written by the new one has a higher version. Error: `SourceChanged`.
   */
  private async versioned<T>(read: () => Promise<T>): Promise<{ version: number; found: T }> {
    const { deps, work } = this;
    const version = await nextVersion(deps.db);
    const [same, found] = await Promise.allSettled([isUnchanged(deps.db, work.source), read()]);
    if (same.status === 'rejected') throw same.reason;
    if (!same.value) throw new SourceChanged();
    if (found.status === 'rejected') throw found.reason;
    return { version, found: found.value };
  }

  /** Writes rows and deletes objects, with one version. */
  private async write(version: number, rows: readonly TableRow[], gone: readonly string[]): Promise<SyncCounts> {
    const items: Item[] = [];
    const failed: FailedItem[] = [];
    const deletions: Deletion[] = gone.map((id) => ({ id }));
    for (const row of rows) {
      const made = itemOfRow(this.work.source.definition, this.work.table, row);
      if (made.kind === 'item') items.push(made.item);
      else if (made.kind === 'nothing') deletions.push({ id: made.id });
      else failed.push(made.failed);
    }
    const memory = await holdItems(jsonBytes(items), this.work.signal);
    try {
      const upserted = await this.writeItems('upsert', version, items);
      const deleted = await this.writeItems('delete', version, deletions);
      await this.noteFailed(failed, [...upserted.settled, ...deleted.settled]);
      return {
        written: upserted.written,
        unchanged: upserted.unchanged,
        deleted: deleted.written,
        stale: upserted.stale + deleted.stale,
        failed: upserted.failed + deleted.failed + failed.length,
      };
    } finally {
      memory.release();
    }
  }

  private async writeItems(kind: 'upsert' | 'delete', version: number, items: readonly (Item & Deletion)[]) {
    const { taskId, source, signal } = this.work;
    const sum = { written: 0, unchanged: 0, stale: 0, failed: 0, settled: [] as string[] };
    if (items.length === 0) return sum;
    const request = {
      taskId,
      staging: '',
      kind,
      index: source.definition.index,
      indexNo: source.resolved.indexNo,
      version,
      onReindex: 'forward' as const,
      fromSeq: 0,
      toSeq: items.length,
      triedBefore: false,
      onlyFailed: false,
      isWhole: false,
    };
    const options = { trustsHashes: this.work.distrustsHashes !== true, areFresh: true };
    const batch = new WriteBatch(this.deps, request, { signal }, options);
    for (;;) {
      const { tally, blocked } = await batch.writeItems(items);
      if (blocked) {
        await delay(DRAIN_WAIT_MS, undefined, { signal });
        continue;
      }
      if (batch.index) this.work.onWritten(batch.index);
      if (tally.failed > 0) this.mayHaveFailed = true;
      this.forwarding.add(tally.forwardTo, [...tally.written, ...tally.stale]);
      const [written, stale] = [tally.written.length, tally.stale.length];
      return {
        written,
        unchanged: tally.unchanged,
        stale,
        failed: tally.failed,
        settled: [...tally.written, ...tally.stale],
      };
    }
  }

  /** Keeps the failed list: what was written is no longer on it. */
  private async noteFailed(failed: readonly FailedItem[], settled: readonly string[]): Promise<void> {
    const { db, metrics } = this.deps;
    const { taskId } = this.work;
    this.mayHaveFailed ??= await hasFailed(db, taskId);
    if (this.mayHaveFailed) await clearFailed(db, taskId, settled);
    if (failed.length === 0) return;
    await recordFailed(db, taskId, failed);
    countFailedItems(metrics, failed);
    this.mayHaveFailed = true;
  }
}
