import type { Tracker } from '../../src/contract/tasks.ts';

export interface WrittenItem {
  id: string;
  payload?: unknown;
  metadata?: Record<string, unknown>;
  originalId?: string;
}

/** A write that a client sent, under one task id until it was accepted. */
export interface Write {
  taskId: string;
  client: string;
  kind: 'upsert' | 'delete';
  items: WrittenItem[];
  acceptedMs: number;
  /** From the answer; null if no worker was available to return the tracker. */
  toldVersion: number | null;
  /** The tracker at the end. */
  end: Tracker | null;
}

export interface Expected {
  version: number;
  /** Null for a deletion. */
  item: WrittenItem | null;
}

/** `a/b` is derived from `a`, `a/b/c` from `a/b`: the lineage of an object never changes, so the oracle is exact. */
export function originalOf(id: string): string | undefined {
  const at = id.lastIndexOf('/');
  return at === -1 ? undefined : id.slice(0, at);
}

/** Computes the final state of every object: the accepted write with the highest version. */
export class Oracle {
  readonly writes: Write[] = [];

  add(write: Write): void {
    this.writes.push(write);
  }

  /** Expected objects by id, once every write has its version. */
  expected(): Map<string, Expected> {
    const own = new Map<string, Expected>();
    const deletions = new Map<string, number>();
    const upserted = new Set<string>();
    for (const { end, kind, items } of this.writes) {
      const version = end?.version;
      if (version === null || version === undefined) throw new Error('a write has no version');
      for (const item of items) {
        const before = own.get(item.id);
        if (kind === 'delete') deletions.set(item.id, Math.max(version, deletions.get(item.id) ?? 0));
        else upserted.add(item.id);
        if (!before || before.version < version) own.set(item.id, { version, item: kind === 'delete' ? null : item });
      }
    }
    for (const [id, expected] of own) {
      const deleted = deletionOf(id, deletions, upserted);
      if (deleted > expected.version) own.set(id, { version: deleted, item: null });
    }
    return own;
  }

  /** The writes that affect an object, oldest first. */
  historyOf(id: string): Write[] {
    const ids = new Set<string>();
    for (let of: string | undefined = id; of !== undefined; of = originalOf(of)) ids.add(of);
    return this.writes
      .filter(({ items }) => items.some((item) => ids.has(item.id)))
      .sort((a, b) => (a.end?.version ?? 0) - (b.end?.version ?? 0));
  }
}

/**
 * Returns the highest version of a deletion of anything that the object is derived from. A deletion propagates through
 * objects with a known lineage: those that were ever written.
 */
function deletionOf(id: string, deletions: Map<string, number>, upserted: Set<string>): number {
  let highest = 0;
  for (let of = originalOf(id); of !== undefined; of = originalOf(of)) {
    highest = Math.max(highest, deletions.get(of) ?? 0);
    if (!upserted.has(of)) break;
  }
  return highest;
}
