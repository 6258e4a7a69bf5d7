import type { Isolate, OnDuplicate } from './jobs.ts';

/** The resolved options of a job; times in milliseconds. */
export interface JobPlan {
  timeoutMs: number;
  /** Queue of the workers that run it. */
  queue: string;
  bind: boolean;
  onDuplicate: OnDuplicate;
  /** Hash of the key by which jobs with the same name are duplicates. */
  keyHash: string;
  newest: boolean;
  maxAttempts: number;
  backOff: { initialMs: number; factor: number; maxMs: number };
  /** A time in ms since 1970, or a delay after its start, by the server's clock; null: immediately. */
  runs: { atMs: number } | { afterMs: number } | null;
  priority: number;
  fairnessKey: string | null;
  startTimeoutMs: number;
  isolate: Isolate;
}

/** Whether a job may run now, or which job it waits for. */
export type Turn = { kind: 'runs' } | { kind: 'waits'; behind: string };
