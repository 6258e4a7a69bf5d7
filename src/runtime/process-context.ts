import type { Logger } from 'pino';

/** What a process gets from its starter. */
export interface ProcessContext {
  log: Logger;
  /** Prints a line about the progress, for people. */
  say: (line: string) => void;
  /** Aborted when the process is to stop. */
  signal: AbortSignal;
}

/** How long a starting process waits for its servers before it fails and leaves the restart to its supervisor. */
export const START_WAIT_MS = 120_000;
