import type { EmbedActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import type { CutOverRequest } from '../contract/reindex-activities.ts';
import { checkEmbedder } from '../models/check-embedder.ts';
import { type Claim, hasName } from '../store/placement/names.ts';
import { cutOver } from '../store/protocol/cut-over.ts';
import { requireLock } from '../store/protocol/locks.ts';
import { requireIndex } from './copy-objects.ts';
import { type ActivityDependencies, namesOf } from './dependencies.ts';
import { reconcileUntil } from './reconcile.ts';
import { keepsModel } from './reuse.ts';
import { drainAndSwitch } from './support/drain.ts';
import { type Running, runWithHeartbeat } from './support/heartbeat.ts';
import { metered } from './support/meter.ts';

/** Activity that holds writers back, brings the last changes and switches the alias. */
export function createCutOver(deps: ActivityDependencies): Pick<EmbedActivities, 'cutOver'> {
  return {
    cutOver: (request) =>
      runWithHeartbeat(async (running) => {
        const { alias } = request;
        // An alias that is there needs no claim, so that a switch does not depend on the main database.
        if (alias === null || (await hasName(deps.background, 'index', alias)))
          return drainAndCutOver(deps, request, running);
        return namesOf(deps).under('index', alias, (claim) => drainAndCutOver(deps, request, running, claim));
      }),
  };
}

async function drainAndCutOver(
  deps: ActivityDependencies,
  request: CutOverRequest,
  running: Running<unknown>,
  claim: Claim | null = null,
) {
  const { background: db } = deps;
  const { lock, sourceNo, destNo, alias, mirror } = request;
  const step = { lock, sourceNo, destNo, alias, mirror };
  // Copy what was written since the last pass, without blocking writers. An earlier attempt may have cut over already.
  let { mark } = request;
  if (await isLockHeld(deps, lock)) ({ mark } = await reconcileUntil(deps, request, running, running.isTimeUp));
  else
    return { ...(await cutOver(db, { ...step, claim, mark })), drainMs: 0 } as {
      kind: 'done';
      mark: number;
      drainMs: number;
    };

  if (alias !== null) await requireWorkingModel(deps, request, running.signal);
  const { switched, drainMs, ...reached } = await drainAndSwitch(
    deps,
    { ...request, mark },
    running,
    async (at, deadline) => {
      const outcome = await cutOver(db, { ...step, claim, mark: at }, deadline);
      return outcome.kind === 'done' ? outcome : null;
    },
  );
  return switched
    ? { kind: 'done' as const, mark: switched.mark, drainMs }
    : { kind: 'notYet' as const, mark: reached.mark, drainMs };
}

/** A model that does not answer now would leave all searches for texts without an answer after the switch. */
async function requireWorkingModel(
  deps: ActivityDependencies,
  { taskId, lock, destNo }: CutOverRequest,
  signal: AbortSignal,
): Promise<void> {
  if (await keepsModel(deps.background, await requireLock(deps.background, lock))) return;
  const { model } = await requireIndex(deps.background, destNo);
  await checkEmbedder(metered(deps.models.embedder(model), deps, taskId, model), { signal });
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
