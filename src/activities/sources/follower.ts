import { objectIdOf } from '../../contract/source-text.ts';
import { type Change, deleteChanges, readChanges } from '../../store/sources/changes.ts';
import { findLiveIds } from '../../store/sources/live-ids.ts';
import { noteFailedChanges } from '../../store/sources/write-token.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { InFlight } from '../support/in-flight.ts';
import { SourceStopped } from './errors.ts';
import { type SourceWork, SourceWriter } from './source-writer.ts';

/** Keys that are synced together. */
const KEYS_AT_ONCE = 512;
/** Objects that a comparison with the table looks at together. */
const COMPARED_AT_ONCE = 512;
/** Min. time between two reads of the outbox from its beginning, while much is to do. */
const FROM_START_MS = 5_000;
/** Batches of changes that are synced at once: their versions make every order of their writes right. */
const BATCHES_AT_ONCE = 3;
/** Max. time of a step: the definition and the table are looked at between two. */
const STEP_MS = 5_000;

/** A comparison of all objects with the table, after its rows went without their keys being known. */
export interface Comparison {
  /** The rows of the outbox that asked for it. */
  seqs: number[];
  /** The last object that was compared. */
  after: string | null;
}

/** Syncs the changes of one source to its index, step by step. */
export class Follower {
  private readonly deps: ActivityDependencies;
  private readonly work: SourceWork;
  private readonly writer: SourceWriter;
  /** Ids of the objects of the batches that run. */
  private readonly underWay = new Set<string>();
  private after = 0;
  private fromStartMs = 0;
  comparison: Comparison | null;

  constructor(deps: ActivityDependencies, work: SourceWork, comparison: Comparison | null) {
    this.deps = deps;
    this.work = work;
    this.writer = new SourceWriter(deps, work);
    this.comparison = comparison;
  }

  /**
   * Syncs changes for some seconds: while some are written, the next ones are read and embedded. Returns false if nothing
   * was left to do.
   */
  async step(): Promise<boolean> {
    const batches = new InFlight(BATCHES_AT_ONCE);
    try {
      let isMore = true;
      let isBusy = false;
      // A comparison takes turns with the changes.
      for (const endMs = Date.now() + STEP_MS; isMore && Date.now() < endMs && !(isBusy && this.comparison); ) {
        this.work.signal.throwIfAborted();
        const changes = await this.readNext(batches);
        isMore = this.after > 0;
        isBusy ||= changes.length > 0 || isMore;
        // One key is in one batch only: what an older one puts on the failed list must not stay there.
        if (idsOf(changes).some((id) => this.underWay.has(id))) await batches.end();
        await batches.add(() => this.bringAlone(changes));
      }
      await batches.end();
      if (this.comparison === null) return isBusy;
      await this.compareNext(this.comparison);
      return true;
    } finally {
      // Nothing is written after the activity has ended, and nothing is read again while it is written.
      await batches.settle();
    }
  }

  /** Reads the next changes, now and then from the beginning: that of a transaction that committed late is there. */
  private async readNext(batches: InFlight): Promise<Change[]> {
    const { source, db } = this.work;
    if (Date.now() - this.fromStartMs > FROM_START_MS && this.after > 0) {
      await batches.end();
      this.after = 0;
    }
    if (this.after === 0) this.fromStartMs = Date.now();
    const { changes, next } = await readChanges(db, source.no, { after: this.after, limit: KEYS_AT_ONCE });
    this.after = next ?? 0;
    return changes;
  }

  private async bringAlone(changes: readonly Change[]): Promise<void> {
    const ids = idsOf(changes);
    for (const id of ids) this.underWay.add(id);
    try {
      await this.bringChanges(changes);
    } finally {
      for (const id of ids) this.underWay.delete(id);
    }
  }

  private async bringChanges(changes: readonly Change[]): Promise<void> {
    const { source, db, taskId } = this.work;
    const drift = changes.find((change) => change.kind === 'drift');
    if (drift) throw new SourceStopped('table-changed', drift.note);
    const rows = changes.filter((change) => change.kind === 'row');
    if (rows.length > 0) {
      const left = new Set((await this.writer.bringEach(rows.map(({ key }) => key))).map(objectIdOf));
      const done = rows.filter(({ key }) => !left.has(objectIdOf(key)));
      if (this.writer.hasFailed) await noteFailedChanges(this.deps.db, { sourceNo: source.no, taskId }, done);
      const seqs = done.flatMap((change) => change.seqs);
      await deleteChanges(db, source.no, seqs);
    }
    const all = changes.filter(({ kind }) => kind === 'all').flatMap(({ seqs }) => seqs);
    // One that comes while another runs waits for its end: it may be about what has been compared already.
    if (all.length > 0) this.comparison ??= { seqs: all, after: null };
  }

  /** Deletes, of the next objects of the index, those without a row. */
  private async compareNext(comparison: Comparison): Promise<void> {
    const { source, db } = this.work;
    const page = await findLiveIds(this.deps.db, source.definition.index, {
      after: comparison.after,
      limit: COMPARED_AT_ONCE,
    });
    await this.writer.deleteGone(page);
    comparison.after = page.at(-1) ?? comparison.after;
    if (page.length === COMPARED_AT_ONCE) return;
    this.comparison = null;
    await deleteChanges(db, source.no, comparison.seqs);
  }
}

function idsOf(changes: readonly Change[]): string[] {
  return changes.flatMap((change) => (change.kind === 'row' ? objectIdOf(change.key) : []));
}
