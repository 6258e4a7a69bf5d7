/**
 * Times within which the work of a dead worker continues elsewhere. A live worker that is taken for dead costs some calls
 * of the model: both tries write the same, by version, and the older one stops when it hears of it.
 */
export const HEARTBEAT = {
  /** Interval between two heartbeats of a running activity. Each is a write on the Temporal server. */
  everyMs: 1_000,
  /** Without a heartbeat for this long, another worker takes the activity over. A busy worker may be late by two. */
  timeoutMs: 4_000,
  /** The same for jobs, whose functions may block their worker for some seconds. */
  jobTimeoutMs: 10_000,
} as const;

/** Wait for the worker that has a workflow in memory, before any worker may replay it. */
export const STICKY_TIMEOUT_MS = 4_000;
