import type { Json } from './json.ts';

/** What an activity of a task waits for, as shown in the tracker's `data.waitsFor`. */
export interface WaitsFor {
  activity: string;
  /** An error type. */
  reason: string;
  /** Message of the last error. */
  message: string;
  since: string;
  /** Time of the next attempt; null when unknown. */
  nextTry: string | null;
}

/** Maximum characters of a message. */
export const WAITS_MESSAGE_CHARS = 500;

/** Formats a wait as the detail of a task. */
export function waitsText({ reason, message, since, nextTry }: WaitsFor): string {
  const next = nextTry === null ? '' : `; next try at ${nextTry}`;
  return `waiting since ${since} because of ${reason}: ${message}${next}`;
}

/** Converts a wait to JSON for the tracker's data. */
export const waitsJson = (waits: WaitsFor): Json => ({ ...waits });

/** A reindex pauses after this many consecutive batches without an object that could be embedded. */
export const MAX_FAILED_BATCHES = 3;
