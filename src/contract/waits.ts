import type { Json } from './json.ts';

/** What an activity of a task waits for, as it is in the tracker's `data.waitsFor`. */
export interface WaitsFor {
  activity: string;
  /** An error type. */
  reason: string;
  /** The last error, in words. */
  message: string;
  since: string;
  /** When it is tried again; null when that is not known. */
  nextTry: string | null;
}

/** Characters of a message. */
export const WAITS_MESSAGE_CHARS = 500;

/** As a detail of a task. */
export function waitsText({ reason, message, since, nextTry }: WaitsFor): string {
  const next = nextTry === null ? '' : `; next try at ${nextTry}`;
  return `waiting since ${since} because of ${reason}: ${message}${next}`;
}

/** For the tracker, whose data is JSON. */
export const waitsJson = (waits: WaitsFor): Json => ({ ...waits });

/** A reindex pauses when so many batches in a row had no object that could be embedded. */
export const MOST_FAILED_BATCHES = 3;
