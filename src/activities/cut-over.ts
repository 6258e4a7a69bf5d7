import type { CutOverRequest, EmbedActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { cutOver } from '../store/protocol/cut-over.ts';
import { createDeadline, isWaitOver, whileDraining } from '../store/protocol/draining.ts';
import { requireLock } from '../store/protocol/locks.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { reconcileUntil } from './reconcile.ts';
import { type Running, runWithHeartbeat } from './support/heartbeat.ts';

/** Activity that holds writers back, brings the last changes and switches the alias. */
export function createCutOver(deps: ActivityDependencies): Pick<EmbedActivities, 'cutOver'> {
  return {
    cutOver: (request) => runWithHeartbeat((running) => drainAndCutOver(deps, request, running), { everyMs: 1_000 }),
  };
}

async function drainAndCutOver(deps: ActivityDependencies, request: CutOverRequest, running: Running<unknown>) {
  const { background: db } = deps;
  const { lock, sourceNo, destNo, alias, mirror } = request;
  const step = { lock, sourceNo, destNo, alias, mirror };
  // Copy what was written since the last pass, without blocking writers. An earlier attempt may have cut over already.
  let { mark } = request;
  if (await isLockHeld(deps, lock)) ({ mark } = await reconcileUntil(deps, request, running, running.isTimeUp));
  else
    return { ...(await cutOver(db, { ...step, mark })), drainMs: 0 } as { kind: 'done'; mark: number; drainMs: number };

  const startedMs = Date.now();
  const elapsedMs = () => Date.now() - startedMs;
  // Also ends a batch in progress: a slow or rate-limiting provider must not block writers.
  const deadline = createDeadline(request.drainSeconds * 1_000);
  const signal = AbortSignal.any([running.signal, deadline.signal]);
  // Blocked writers must not wait for a throttle too.
  const pair = { ...request, ratePerSecond: null };
  try {
    const switched = await whileDraining(db, lock, deadline, async () => {
      do {
        const stop = (reached: number) => {
          mark = reached;
          return deadline.signal.aborted;
        };
        const pass = await reconcileUntil(deps, { ...pair, mark }, { signal }, stop, deadline);
        mark = pass.mark;
        if (pass.more) continue;
        const outcome = await cutOver(db, { ...step, mark }, deadline);
        if (outcome.kind === 'done') return { kind: 'done' as const, mark: outcome.mark, drainMs: elapsedMs() };
      } while (!deadline.signal.aborted);
      return null;
    });
    if (switched) return switched;
  } catch (error) {
    const isOver = isWaitOver(error) || (deadline.signal.aborted && isAbort(error));
    if (running.signal.aborted || !isOver) throw error;
  }
  return { kind: 'notYet' as const, mark, drainMs: elapsedMs() };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

async function isLockHeld({ background: db }: ActivityDependencies, lock: string): Promise<boolean> {
  try {
    await requireLock(db, lock);
    return true;
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'LockLost') return false;
    throw error;
  }
}
