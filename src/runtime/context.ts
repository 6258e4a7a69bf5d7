import type { Logger } from 'pino';

/** What a process is given by whoever starts it. */
export interface ProcessContext {
  log: Logger;
  /** Gets lines for people about what is going on. */
  say: (line: string) => void;
  /** Aborted when the process is to stop. */
  signal: AbortSignal;
}

/** How long a process waits for its servers at the start, before it gives up and lets its supervisor know. */
export const START_WAIT_MS = 120_000;
