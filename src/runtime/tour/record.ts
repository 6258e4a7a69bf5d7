import { createHash } from 'node:crypto';
import type { Payload, StoredObject } from '../../contract/objects.ts';

/** The tour's record of every object: its last accepted write, by version. */
export class WriteRecord {
  private readonly expected = new Map<string, { version: number; payload: Payload | null }>();

  /** Records an accepted write, in any order; null is a deletion. */
  note(id: string, version: number, payload: Payload | null): void {
    const known = this.expected.get(id);
    if (!known || known.version < version) this.expected.set(id, { version, payload });
  }

  /** Returns the ids of the objects that should exist. */
  liveIds(): string[] {
    return [...this.expected].filter(([, { payload }]) => payload !== null).map(([id]) => id);
  }

  /** Compares every object with the content of an index. */
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
  /** Should exist, but not found. */
  lost: number;
  /** Deleted, but found. */
  broughtBack: number;
  /** Found with different content or a different version than last written. */
  stale: number;
  /** Found, but never written. */
  unknown: number;
  /** SHA-256 of ids and versions in key order. */
  digest: string;
}

/** Computes the same digest of an index, to check later whether it has changed. */
export async function computeDigest(
  objects: AsyncIterable<StoredObject>,
): Promise<{ objects: number; digest: string }> {
  const { objects: count, digest } = await new WriteRecord().compare(objects);
  return { objects: count, digest };
}
