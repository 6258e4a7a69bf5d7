import type { EmbedActivities } from '../contract/activities.ts';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { RollBackActivityRequest, RollBackActivityResult } from '../contract/reindex-activities.ts';
import type { Pair } from '../store/protocol/copy.ts';
import { createDeadline, type Deadline } from '../store/protocol/draining.ts';
import { findLack, type Lack, lackText } from '../store/protocol/lack.ts';
import { renewLock } from '../store/protocol/locks.ts';
import { type RollBackStep, rollBack } from '../store/protocol/roll-back.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { reconcileUntil } from './reconcile.ts';
import { drainAndSwitch, isAbort } from './support/drain.ts';
import { type Running, runWithHeartbeat } from './support/heartbeat.ts';

/** Max. time in which the index that is kept current is brought up to date before writers are blocked. */
const CATCH_UP_MS = 20_000;
const BATCH = 256;

/** Activity that rolls back: see `EmbedActivities`. */
export function createRollBack(deps: ActivityDependencies): Pick<EmbedActivities, 'rollBack'> {
  return {
    rollBack: (request) => runWithHeartbeat((running) => rollBackOnce(deps, request, running)),
  };
}

async function rollBackOnce(
  deps: ActivityDependencies,
  request: RollBackActivityRequest,
  running: Running<unknown>,
): Promise<RollBackActivityResult> {
  const { background: db } = deps;
  const { mirror, taskId, nextLock, aliases, by, reason } = request;
  const { lock, lockSeconds } = mirror;
  const step = { lock, next: { lock: nextLock, taskId, lockSeconds }, aliases, by, reason };
  try {
    await renewLock(db, lock, lockSeconds);
  } catch (error) {
    if (!(error instanceof ReembedError && error.type === 'LockLost')) throw error;
    // An earlier attempt may have done it.
    const outcome = await rollBack(db, { ...step, mark: mirror.mark });
    if (outcome.kind === 'done') return { ...outcome, drainMs: 0 };
    throw error;
  }
  const renewal = setInterval(() => renewLock(db, lock, lockSeconds).catch(() => {}), (lockSeconds * 1_000) / 3);
  try {
    const { mark, problem } = await catchUp(deps, request, running);
    if (problem !== null) return { kind: 'notCurrent', mark, message: problem };
    return await drainAndTurn(deps, request, running, { ...step, mark });
  } finally {
    clearInterval(renewal);
  }
}

async function drainAndTurn(
  deps: ActivityDependencies,
  { mirror, taskId, drainSeconds }: RollBackActivityRequest,
  running: Running<unknown>,
  step: RollBackStep,
): Promise<RollBackActivityResult> {
  const { lock, sourceNo, destNo } = mirror;
  const pair = { taskId, lock, sourceNo, destNo, batchSize: BATCH, ratePerSecond: null, mark: step.mark };
  let message = `the last writes did not arrive within ${drainSeconds} s: try again`;
  try {
    const { switched, drainMs, mark } = await drainAndSwitch(
      deps,
      { ...pair, drainSeconds },
      running,
      async (at, end) => {
        const outcome = await rollBack(deps.background, { ...step, mark: at }, end);
        if (outcome.kind === 'done') return outcome;
        message = await describeLack(deps, { sourceNo, destNo }, outcome.lack);
        // What is only behind is copied by the next pass.
        return outcome.lack.withoutVectors > 0 ? outcome : null;
      },
    );
    if (switched?.kind === 'done') return { ...switched, drainMs };
    return { kind: 'notCurrent', mark, message };
  } catch (error) {
    if (!isNotCurrent(error)) throw error;
    return { kind: 'notCurrent', mark: step.mark, message: messageOf(error) };
  }
}

/** Whether the index cannot be brought up to date now: the caller does not wait until its model answers again. */
function isNotCurrent(error: unknown): boolean {
  return error instanceof ReembedError && (error.type.startsWith('Model') || error.type === 'BudgetUsedUp');
}

/**
 * Copies what is missing without blocking anybody, then compares both indexes completely. Returns what makes a roll
 * back impossible now, in words, or null.
 */
async function catchUp(
  deps: ActivityDependencies,
  { mirror, taskId }: RollBackActivityRequest,
  running: Running<unknown>,
): Promise<{ mark: number; problem: string | null }> {
  const deadline = createDeadline(CATCH_UP_MS);
  let { mark } = mirror;
  const pair = { sourceNo: mirror.sourceNo, destNo: mirror.destNo };
  const request = { ...mirror, taskId, batchSize: BATCH, ratePerSecond: null };
  for (let isAgain = false; ; isAgain = true) {
    const pass = await copyUntil(deps, { ...request, mark }, running, deadline);
    mark = pass.mark;
    if (pass.problem !== null) return pass;
    const lack = await findLack(deps.background, pair, 0);
    // Later changes are left to the drain.
    const isLate = lack.firstChange > 0 && lack.firstChange <= mark;
    if (!isLate && lack.deleted === 0) return { mark, problem: null };
    if (isAgain || lack.deleted > 0 || lack.behind === 0)
      return { mark, problem: await describeLack(deps, pair, lack) };
    mark = lack.firstChange - 1;
  }
}

async function copyUntil(
  deps: ActivityDependencies,
  request: Parameters<typeof reconcileUntil>[1],
  running: Running<unknown>,
  deadline: Deadline,
): Promise<{ mark: number; problem: string | null }> {
  let { mark } = request;
  const signal = AbortSignal.any([running.signal, deadline.signal]);
  const late = 'it is still being brought up to date: try again';
  try {
    const pass = await reconcileUntil(deps, request, { signal }, (reached) => {
      mark = reached;
      return deadline.signal.aborted;
    });
    return { mark: pass.mark, problem: pass.more ? late : null };
  } catch (error) {
    if (running.signal.aborted) throw error;
    if (isAbort(error)) return { mark, problem: late };
    if (isNotCurrent(error)) return { mark, problem: messageOf(error) };
    throw error;
  }
}

async function describeLack({ background: db }: ActivityDependencies, pair: Pair, lack: Lack): Promise<string> {
  const [from, to] = [await requireIndex(db, pair.sourceNo), await requireIndex(db, pair.destNo)];
  return lackText(to.name, from.name, lack);
}
