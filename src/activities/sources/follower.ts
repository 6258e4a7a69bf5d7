import { objectIdOf } from '../../contract/source-text.ts';
import { type Change, deleteChanges, readChanges } from '../../store/sources/changes.ts';
import { findLiveIds } from '../../store/sources/live-ids.ts';
import { noteFailedChanges } from '../../store/sources/write-token.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { SourceStopped } from './errors.ts';
import { type SourceWork, SourceWriter } from './source-writer.ts';

/** Keys that are synced together. */
const KEYS_AT_ONCE = 512;
/** Objects that a comparison with the table looks at together. */
const COMPARED_AT_ONCE = 512;
/** Min. time between two reads of the outbox from its beginning, while much is to do. */
const FROM_START_MS = 5_000;

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
  private after = 0;
  private fromStartMs = 0;
  comparison: Comparison | null;

  constructor(deps: ActivityDependencies, work: SourceWork, comparison: Comparison | null) {
    this.deps = deps;
    this.work = work;
    this.writer = new SourceWriter(deps, work);
    this.comparison = comparison;
  }

  /** Syncs some changes. Returns false if nothing was left to do. */
  async step(): Promise<boolean> {
    const { source, db } = this.work;
    const isNewRound = this.after > 0 && Date.now() - this.fromStartMs > FROM_START_MS;
    if (this.after === 0 || isNewRound) [this.after, this.fromStartMs] = [0, Date.now()];
    const { changes, next } = await readChanges(db, source.no, { after: this.after, limit: KEYS_AT_ONCE });
    await this.bringChanges(changes);
    this.after = next ?? 0;
    if (this.comparison) await this.compareNext(this.comparison);
    return changes.length > 0 || next !== null || this.comparison !== null;
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
