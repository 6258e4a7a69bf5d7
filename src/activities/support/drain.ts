import type { ReconcileRequest } from '../../contract/reindex-activities.ts';
import { createDeadline, type Deadline, isWaitOver, whileDraining } from '../../store/protocol/draining.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { reconcileUntil } from '../reconcile.ts';
import type { Running } from './heartbeat.ts';

export interface DrainRequest extends Omit<ReconcileRequest, 'taskId'> {
  taskId: string | null;
  drainSeconds: number;
}

export interface Drained<T> {
  /** What `switchOver` returned; null if the time was over first. */
  switched: T | null;
  mark: number;
  drainMs: number;
}

/**
 * Blocks the writers of the source, copies their last changes, and calls `switchOver` with the mark until it returns
 * something else than null. Writers continue after `drainSeconds` at the latest.
 */
export async function drainAndSwitch<T>(
  deps: ActivityDependencies,
  request: DrainRequest,
  running: Pick<Running<unknown>, 'signal'>,
  switchOver: (mark: number, deadline: Deadline) => Promise<T | null>,
): Promise<Drained<T>> {
  const startedMs = Date.now();
  let { mark } = request;
  const result = (switched: T | null) => ({ switched, mark, drainMs: Date.now() - startedMs });
  // Also ends a batch in progress: a slow or rate-limiting provider must not block writers.
  const deadline = createDeadline(request.drainSeconds * 1_000);
  const signal = AbortSignal.any([running.signal, deadline.signal]);
  // Blocked writers must not wait for a throttle too.
  const pair = { ...request, ratePerSecond: null };
  try {
    const switched = await whileDraining(deps.background, request.lock, deadline, async () => {
      do {
        const stop = (reached: number) => {
          mark = reached;
          return deadline.signal.aborted;
        };
        const pass = await reconcileUntil(deps, { ...pair, mark }, { signal }, stop, deadline);
        mark = pass.mark;
        if (pass.more) continue;
        const outcome = await switchOver(mark, deadline);
        if (outcome !== null) return outcome;
      } while (!deadline.signal.aborted);
      return null;
    });
    return result(switched);
  } catch (error) {
    const isOver = isWaitOver(error) || (deadline.signal.aborted && isAbort(error));
    if (running.signal.aborted || !isOver) throw error;
    return result(null);
  }
}

/** Whether an error is that of a signal that was aborted. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}
