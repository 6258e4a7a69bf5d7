import { createHash } from 'node:crypto';
import type { Payload, StoredObject } from '../../contract/objects.ts';

/** What the tour itself knows of every object: the last write that was accepted, by version. */
export class WriteRecord {
  private readonly expected = new Map<string, { version: number; payload: Payload | null }>();

  /** Notes an accepted write; null is a deletion. Accepted writes may be noted in any order. */
  note(id: string, version: number, payload: Payload | null): void {
    const known = this.expected.get(id);
    if (!known || known.version < version) this.expected.set(id, { version, payload });
  }

  /** Ids of the objects that are to be there. */
  liveIds(): string[] {
    return [...this.expected].filter(([, { payload }]) => payload !== null).map(([id]) => id);
  }

  /** Compares every object with what an index holds. */
  async compare(objects: AsyncIterable<StoredObject>): Promise<Comparison> {
    const found = { objects: 0, lost: 0, broughtBack: 0, stale: 0, unknown: 0 };
    const missing = new Set(this.liveIds());
    const digest = createHash('sha256');
    for await (const { id, version, payload } of objects) {
      found.objects++;
      missing.delete(id);
      digest.update(`${JSON.stringify([id, version])}\n`);
      const expected = this.expected.get(id);
      if (!expected) found.unknown++;
      else if (expected.payload === null) found.broughtBack++;
      else if (expected.version !== version || expected.payload !== payload) found.stale++;
    }
    return { ...found, lost: missing.size, digest: digest.digest('hex') };
  }
}

export interface Comparison {
  objects: number;
  /** To be there, but not found. */
  lost: number;
  /** Deleted, but found. */
  broughtBack: number;
  /** Found with another content or version than was written last. */
  stale: number;
  /** Found, but never written. */
  unknown: number;
  /** Over ids and versions in key order. */
  digest: string;
}

/** The same digest of what an index holds, to see later whether it is still so. */
export async function digestOf(objects: AsyncIterable<StoredObject>): Promise<{ objects: number; digest: string }> {
  const { objects: count, digest } = await new WriteRecord().compare(objects);
  return { objects: count, digest };
}
