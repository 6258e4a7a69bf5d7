import type { Tracker } from '../../../src/contract/tasks.ts';
import type { WrittenItem } from '../oracle.ts';

/** A period in which something happened: from before the request until after the answer. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** A write to an alias that is moved by force, or to an index that is deleted and created again. */
export interface SideWrite {
  taskId: string;
  target: string;
  kind: 'upsert' | 'delete';
  items: WrittenItem[];
  sentMs: number;
  /** Null if the answer was a refusal. */
  acceptedMs: number | null;
  /** Time at which it was reported done, if the client waited for its end. */
  doneMs: number | null;
  /** Why it was refused immediately, if it was. */
  refusal: string | null;
  /** The tracker at the end; null if there is no such task. */
  end: Tracker | null;
}

/** One life of an index: from its creation to its deletion; `deleted` is null for the remaining one. */
export interface Life {
  name: string;
  created: Span;
  deleted: Span | null;
}

/** A move of the alias: `to` is null where it was deleted with its index. */
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

/** Valid errors of a task whose index or alias was removed while it was in progress. */
const GONE = /^(IndexDeleted|IndexDeleting|IndexNotFound)$/;

/** Timeout of the Temporal server for one workflow task. */
const WORKFLOW_TASK_MS = 10_000;

/** The changes to the indexes and the alias, as observed from outside. */
export class SideOracle {
  readonly writes: SideWrite[] = [];
  readonly lives: Life[] = [];
  readonly moves: Move[] = [];
  private readonly alias: string;

  constructor(alias: string) {
    this.alias = alias;
  }

  /**
   * Returns whether a write must be in the remaining index of a name (`certain`), cannot be there (`never`), or may be.
   * It must if its target did not change between its sending and its end. It cannot if it ended before that index was
   * requested, or named an earlier index of the name.
   */
  reach(write: SideWrite, life: Life): 'certain' | 'never' | 'maybe' {
    const { end } = write;
    if (end?.status !== 'done') return 'never';
    const span = { fromMs: write.sentMs, toMs: endOf(write) };
    if (span.toMs < life.created.fromMs) return 'never';
    if (write.target === life.name) {
      // A task is bound to the index that had the name when it was accepted.
      if ((write.acceptedMs ?? Number.POSITIVE_INFINITY) < life.created.fromMs) return 'never';
      return write.sentMs > life.created.toMs ? 'certain' : 'maybe';
    }
    if (write.target !== this.alias) return 'never';
    const targets = new Set(this.targetsIn(span));
    if (!targets.has(life.name)) return 'never';
    return targets.size === 1 && write.sentMs > life.created.toMs ? 'certain' : 'maybe';
  }

  /** Compares the remaining rows with the required and the possible writes. */
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

  /** Task ends that none of the changes explains. */
  problems(): string[] {
    return this.writes.flatMap((write) => {
      const { taskId, target, refusal, end } = write;
      const span = { fromMs: write.sentMs, toMs: end ? endOf(write) : (write.acceptedMs ?? Date.now()) };
      const said = end ? end.errors.at(-1)?.type : refusal;
      if (end?.status === 'done') return Number(end.data.failed) > 0 ? [`${taskId}: items failed`] : [];
      const how = `${taskId} to ${target}: ${end ? `${end.status}: ${end.detail}` : refusal}`;
      // A task that names a missing alias fails: it can be restarted when the alias exists again.
      if (end && end.status !== 'refused' && !(target === this.alias && end.status === 'failed')) return [how];
      if (said && !GONE.test(said)) return [how];
      return this.wasGone(target, span) ? [] : [`${how}, and it was there all the time`];
    });
  }

  private wasGone(target: string, span: Span): boolean {
    const isIn = (other: Span) => other.fromMs <= span.toMs && other.toMs >= span.fromMs;
    if (this.lives.some(({ deleted }) => deleted !== null && isIn(deleted))) {
      // This applies to writes to the alias too: their index may be gone before they write.
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

  /** All indexes that the alias may have pointed to within a period. */
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

/**
 * Returns a time before which a task ended. Its tracker has the time of its workflow, which does not advance while a
 * worker executes one workflow task, including local activities.
 */
function endOf({ end, doneMs }: SideWrite): number {
  return doneMs ?? (end ? Date.parse(end.updateTime) + WORKFLOW_TASK_MS : Date.now());
}
