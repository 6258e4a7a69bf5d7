import type { Language } from '../../contract/full-text.ts';
import type { Payload } from '../../contract/objects.ts';
import type { Vector } from '../../contract/vectors.ts';

/** One part of an object with its vector. */
export interface WritePart {
  part: number;
  start: number | null;
  end: number | null;
  isAverage: boolean;
  embedding: Vector;
  /** Stands for the text and the model; null for the average, or if the vector is not to be taken over. */
  textKey?: string | null | undefined;
  /** What full-text searches find; not without full text, and not of the average. */
  words?: { language: Language; text: string } | undefined;
}

/**
 * One object to write: new content with vectors, new metadata for unchanged content, a tombstone, a failure, or an
 * object that a newer version overtook before it was embedded. The last is not stored, but its original is remembered.
 */
export type ObjectWrite = { id: string; version: number } & {
  /** The number of the task that orders writes of different objects; set with external versions only. */
  accepted?: number | undefined;
} & (
    | {
        kind: 'content';
        payload: Payload;
        metadata: Record<string, unknown>;
        originalId: string | null;
        uri: string | null;
        hash: string;
        parts: readonly WritePart[];
      }
    | {
        kind: 'unchanged';
        /** Set if only fields that are not embedded changed: the hashes then differ after their dot. */
        payload?: Payload | null;
        metadata: Record<string, unknown>;
        originalId: string | null;
        uri: string | null;
        hash: string;
      }
    | { kind: 'tombstone'; originalId?: string | null }
    | { kind: 'overtaken'; originalId: string | null }
    | {
        kind: 'failed';
        /** Kept if the object has parts without text: another try must not embed the rest of it alone. */
        hash?: string | null;
        payload: Payload | null;
        metadata: Record<string, unknown>;
        originalId: string | null;
        uri: string | null;
      }
  );

export interface WriteCounts {
  /** Applied now, or already applied by an earlier try with the same version. */
  written: string[];
  /** A newer version is stored. */
  stale: string[];
  /** Were to keep their vectors, but the stored content has changed: embed and write them again. */
  changed: string[];
  /** No row, and older than removed tombstones, so it is unknown whether the object was deleted since. */
  beyondRetention: string[];
}
