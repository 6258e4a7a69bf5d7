import type { Tracker } from '../../../src/contract/tasks.ts';
import type { WrittenItem } from '../oracle.ts';

/** A stretch of time within which something happened: from before it was asked for until after the answer. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** A write to an alias that is moved by force, or to an index that is deleted and made again. */
export interface SideWrite {
  taskId: string;
  target: string;
  kind: 'upsert' | 'delete';
  items: WrittenItem[];
  sentMs: number;
  /** Null where the answer was a refusal. */
  acceptedMs: number | null;
  /** Why it was refused at once, if it was. */
  refusal: string | null;
  /** The tracker at the end; null where there is no such task. */
  end: Tracker | null;
}

/** One life of an index: from its creation until it is deleted; `deleted` is null of the one that is left. */
export interface Life {
  name: string;
  created: Span;
  deleted: Span | null;
}

/** The alias moves: `to` null where it went with its index. */
export interface Move {
  to: string | null;
  span: Span;
}

/** A row of an index at the end. */
export interface Row {
  id: string;
  version: number;
  deleted: boolean;
  payload: unknown;
}

export interface SideFindings {
  lost: string[];
  stale: string[];
  resurrected: string[];
  problems: string[];
}

/** What may be said of a task whose index or alias was taken away while it was under way. */
const GONE = /^(IndexDeleted|IndexDeleting|IndexNotFound)$/;

/** What was done to the indexes and the alias, as seen from outside. */
export class SideOracle {
  readonly writes: SideWrite[] = [];
  readonly lives: Life[] = [];
  readonly moves: Move[] = [];
  private readonly alias: string;

  constructor(alias: string) {
    this.alias = alias;
  }

  /**
   * Whether a write must be in the index that is left of a name (`certain`), cannot be there (`never`), or may be. It
   * must, where from its sending to its end nothing was done to what it names; it cannot, where it was over before that
   * index was asked for, or where it named an earlier index of the name.
   */
  reach(write: SideWrite, life: Life): 'certain' | 'never' | 'maybe' {
    const { end } = write;
    if (end?.status !== 'done') return 'never';
    const span = { fromMs: write.sentMs, toMs: endOf(write) };
    if (span.toMs < life.created.fromMs) return 'never';
    if (write.target === life.name) {
      // A task is bound to the index that its name meant when it was accepted.
      if ((write.acceptedMs ?? Number.POSITIVE_INFINITY) < life.created.fromMs) return 'never';
      return write.sentMs > life.created.toMs ? 'certain' : 'maybe';
    }
    if (write.target !== this.alias) return 'never';
    const targets = new Set(this.targetsIn(span));
    if (!targets.has(life.name)) return 'never';
    return targets.size === 1 && write.sentMs > life.created.toMs ? 'certain' : 'maybe';
  }

  /** Compares what is left with what must and what may be there. */
  judge(life: Life, rows: readonly Row[], versionOf: (write: SideWrite) => number | null): SideFindings {
    const found: SideFindings = { lost: [], stale: [], resurrected: [], problems: [] };
    const byId = new Map(rows.map((row) => [row.id, row]));
    const writesOf = new Map<string, { write: SideWrite; item: WrittenItem; version: number; certain: boolean }[]>();
    for (const write of this.writes) {
      const reach = this.reach(write, life);
      const version = versionOf(write);
      if (reach === 'never' || version === null) continue;
      for (const item of write.items) {
        const known = writesOf.get(item.id) ?? [];
        known.push({ write, item, version, certain: reach === 'certain' });
        writesOf.set(item.id, known);
      }
    }
    for (const [id, known] of writesOf) {
      const row = byId.get(id);
      const least = known.filter(({ certain }) => certain).sort((a, b) => b.version - a.version)[0];
      if (!row) {
        if (least && least.write.kind === 'upsert') found.lost.push(`${id} in ${life.name}`);
      } else if (least && row.version < least.version) found.stale.push(`${id} in ${life.name}`);
    }
    for (const row of rows) {
      const by = writesOf.get(row.id)?.find(({ version }) => version === row.version);
      if (!by) found.resurrected.push(`${row.id} at ${row.version} in ${life.name}`);
      else if (row.deleted !== (by.write.kind === 'delete') || (!row.deleted && row.payload !== by.item.payload)) {
        found.stale.push(`${row.id} at ${row.version} in ${life.name}`);
      }
    }
    return found;
  }

  /** Ends that nothing of what was done explains. */
  problems(): string[] {
    return this.writes.flatMap((write) => {
      const { taskId, target, refusal, end } = write;
      const span = { fromMs: write.sentMs, toMs: end ? endOf(write) : (write.acceptedMs ?? Date.now()) };
      const said = end ? end.errors.at(-1)?.type : refusal;
      if (end?.status === 'done') return Number(end.data.failed) > 0 ? [`${taskId}: items failed`] : [];
      const how = `${taskId} to ${target}: ${end ? `${end.status}: ${end.detail}` : refusal}`;
      // A task that names an alias which is gone fails: it can be restarted when the alias is there again.
      if (end && end.status !== 'refused' && !(target === this.alias && end.status === 'failed')) return [how];
      if (said && !GONE.test(said)) return [how];
      return this.wasGone(target, span) ? [] : [`${how}, and it was there all the time`];
    });
  }

  private wasGone(target: string, span: Span): boolean {
    const isIn = (other: Span) => other.fromMs <= span.toMs && other.toMs >= span.fromMs;
    if (this.lives.some(({ deleted }) => deleted !== null && isIn(deleted))) {
      // Also of a write to the alias: what it found there may be gone before it writes.
      if (
        target === this.alias ||
        this.lives.some(({ name, deleted }) => name === target && deleted && isIn(deleted))
      ) {
        return true;
      }
    }
    const gone = target === this.alias ? this.aliasGaps() : this.nameGaps(target);
    return gone.some(isIn);
  }

  /** All that the alias may have meant within a time. */
  private targetsIn(span: Span): (string | null)[] {
    return this.moves
      .filter(({ span: { fromMs } }, at) => {
        const next = this.moves[at + 1];
        return fromMs <= span.toMs && (!next || next.span.toMs >= span.fromMs);
      })
      .map(({ to }) => to);
  }

  private aliasGaps(): Span[] {
    return this.moves.flatMap(({ to, span }, at) =>
      to === null ? [{ fromMs: span.fromMs, toMs: this.moves[at + 1]?.span.toMs ?? Date.now() }] : [],
    );
  }

  private nameGaps(name: string): Span[] {
    const lives = this.lives.filter((life) => life.name === name);
    return lives.flatMap(({ deleted }, at) =>
      deleted ? [{ fromMs: deleted.fromMs, toMs: lives[at + 1]?.created.toMs ?? Date.now() }] : [],
    );
  }
}

/** By the clock of the tracker, which is the one of this machine. */
function endOf({ end }: SideWrite): number {
  return end ? Date.parse(end.updateTime) : Date.now();
}
