import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Steps of the kernel's scale from −20 to 19: a fourth of the processor time of the event loop when both want it all. */
const STEPS = 6;
const LOWEST = 19;

let isLowered = false;

/**
 * Lowers the priority of a worker thread, so that the event loop, which answers everybody, runs first on a busy machine.
 * Does nothing in the main thread, and outside Linux, where threads have no priority of their own.
 */
export function lowerThreadPriority(): void {
  if (isLowered || isMainThread || process.platform !== 'linux') return;
  isLowered = true;
  try {
    // Linux gives each thread an id of its own, which takes the place of a process id.
    const thread = Number(path.basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(LOWEST, getPriority(thread) + STEPS));
  } catch {
    // A container may forbid it. The thread works all the same.
  }
}
