import type { Language } from '../contract/full-text.ts';
import type { Metadata, Payload } from '../contract/objects.ts';
import type { FailedItem } from '../contract/tasks.ts';
import type { Vector } from '../contract/vectors.ts';

/** A part that is not made by the splitter; without a place it has no text. */
export interface OwnPart {
  start: number | null;
  end: number | null;
  embedding: Vector;
}

/** Parts that came with an object, or with the object that it is a copy of. */
export interface Ready {
  parts: readonly OwnPart[];
  /** True if their vectors are of the model of the index. */
  fits: boolean;
}

/** An object to prepare: an `Item` of the API, or a stored object that a reindex copies (which may have both). */
export interface PrepareItem {
  id: string;
  /** Takes precedence over `uri`, which is then only kept. */
  payload?: Payload | null;
  uri?: string | null;
  metadata?: Metadata;
  originalId?: string | null;
  /** Parts to take instead of splitting and embedding the payload. */
  ready?: Ready | undefined;
}

export interface PreparedPart {
  /** Counts from 0; the average comes after the last part. */
  part: number;
  /** Range in the text in UTF-16 code units; for the average, the range of all parts. Null: the part has no text. */
  start: number | null;
  end: number | null;
  isAverage: boolean;
  embedding: Vector;
  /** See `textKeysOf`; none for the average, and for a vector that came with the object. */
  textKey?: string | null;
  /** What full-text searches find; not without full text, and not of the average. */
  words?: { language: Language; text: string };
}

export interface PreparedObject {
  id: string;
  payload: Payload;
  uri: string | null;
  metadata: Metadata;
  originalId: string | null;
  /** See `contentHasher`. */
  hash: string;
  /** True if the stored vectors still fit: `parts` is empty and the model was not called. */
  unchanged: boolean;
  /** True for an unchanged object if a field of the payload that is not embedded differs from the stored one. */
  payloadChanged: boolean;
  parts: PreparedPart[];
}

export interface Prepared {
  ready: PreparedObject[];
  failed: FailedItem[];
  /** Texts of these objects for which the model was not asked: their vectors were stored, or those of an equal text. */
  reused: number;
  /** Texts that the model did not read to their end, and that were split again, since the last portion. */
  truncated: number;
  /** Ids of objects that nobody wants any more. */
  dropped: string[];
}
