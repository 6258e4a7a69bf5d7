import { setTimeout as delay } from 'node:timers/promises';
import type { CutOverRequest, EmbedActivities, ReconcileRequest } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { checkEmbedder } from '../models/models.ts';
import type { Db } from '../store/database.ts';
import { cutOver } from '../store/protocol/cut-over.ts';
import { createDeadline, isWaitOver, whileDraining } from '../store/protocol/draining.ts';
import { isBeingBuilt, requireLock } from '../store/protocol/locks.ts';
import { copyRemoved } from '../store/protocol/removed.ts';
import { syncFailed } from '../store/protocol/repair.ts';
import { type Comparison, compareIndexes, differencesOf } from '../store/protocol/verify.ts';
import { measureRecall } from '../store/recall.ts';
import { buildVectorIndex } from '../store/vector-index.ts';
import { reconcileUntil } from './copy.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { mustGiveWay } from './give-way.ts';
import { removeAllLeftOvers } from './left-overs.ts';
import { createPatience, patiently, type Running, runWithHeartbeat } from './running.ts';
import { waitsOf, watched } from './waits.ts';

const BUILD_POLL_MS = 1_000;
const REMOVE_BATCH = 1_000;
const SAMPLE = { objects: 20, limit: 10 };

/** The activities of a reindex's ends: model check, HNSW index, verification, cut-over. */
export function createFinishActivities(
  deps: ActivityDependencies,
): Pick<EmbedActivities, 'checkModel' | 'buildVectorIndex' | 'verify' | 'cutOver'> {
  const { background: db, models, settings, metrics } = deps;
  return {
    checkModel: (indexNo) =>
      runWithHeartbeat(async ({ signal }) => {
        const index = await requireIndex(db, indexNo);
        const waits = waitsOf(deps.client);
        const embedder = watched(models.embedder(index.model), waits);
        const patience = createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder });
        await patiently(patience, () => checkEmbedder(embedder, signal));
      }),

    buildVectorIndex: (indexNo, { leaveLocked = false } = {}) =>
      runWithHeartbeat(async ({ signal }) => {
        if (leaveLocked && (await isBeingBuilt(db, indexNo))) return;
        const build = async () =>
          buildVectorIndex(db, await requireIndex(db, indexNo), {
            memoryMb: settings.indexMemoryMb,
            oneProcess: await mustGiveWay(deps),
            signal,
            onBuilt: (ms) => metrics?.vectorIndexSeconds.observe(ms / 1_000),
          });
        // While another task builds it, or the connection of a worker that died still does.
        while (!(await build())) await delay(BUILD_POLL_MS, undefined, { signal });
      }),

    verify: (request) =>
      runWithHeartbeat(async ({ signal }) => {
        const dest = await requireIndex(db, request.destNo);
        const removed = await removeAllLeftOvers(db, request, false);
        if (dest.versioning === 'external') await copyAllRemoved(db, request, signal);
        const found = await compareIndexes(db, request, request.mark);
        const wrong = differencesOf(found);
        if (wrong.length > 0) throw new ReembedError('VerifyFailed', `${dest.name}: ${wrong.join('; ')}`);
        await syncFailed(db, request.taskId, request.destNo);
        requireFewFailed(found, request.maxFailed);
        const { source, dest: count, failed } = found;
        return { source, dest: count, failed, removed, recall: await measureRecall(db, dest, SAMPLE) };
      }),

    cutOver: (request) => runWithHeartbeat((running) => drainAndSwitch(deps, request, running), { everyMs: 1_000 }),
  };
}

async function copyAllRemoved(db: Db, request: ReconcileRequest, signal: AbortSignal): Promise<void> {
  for (let after: string | null = ''; after !== null; ) {
    signal.throwIfAborted();
    after = await copyRemoved(db, request.lock, request, { after, limit: REMOVE_BATCH });
  }
}

/**
 * What the source could not embed either is no fault of the new model. Error: `TooManyFailed`, also when nothing at all
 * was embedded.
 */
function requireFewFailed({ source, failedHere, sourceEmbedded, destEmbedded }: Comparison, maxFailed: number): void {
  const isFraction = maxFailed > 0 && maxFailed < 1;
  const allowed = isFraction ? maxFailed * source : maxFailed;
  if (sourceEmbedded > 0 && destEmbedded === 0) {
    throw new ReembedError('TooManyFailed', `none of ${sourceEmbedded} objects could be embedded`);
  }
  if (maxFailed === -1 || failedHere <= allowed) return;
  throw new ReembedError(
    'TooManyFailed',
    `${failedHere} objects could not be embedded, ${isFraction ? `${maxFailed} of ${source}` : maxFailed} are allowed`,
  );
}

async function drainAndSwitch(deps: ActivityDependencies, request: CutOverRequest, running: Running<unknown>) {
  const { background: db } = deps;
  const { lock, sourceNo, destNo, alias, mirror } = request;
  const step = { lock, sourceNo, destNo, alias, mirror };
  // Without holding anybody back: what was written since the last pass. An earlier try may have switched already.
  let { mark } = request;
  if (await isLockHeld(deps, lock)) ({ mark } = await reconcileUntil(deps, request, running, running.isTimeUp));
  else
    return { ...(await cutOver(db, { ...step, mark })), drainMs: 0 } as { kind: 'done'; mark: number; drainMs: number };

  const startedMs = Date.now();
  const elapsedMs = () => Date.now() - startedMs;
  // Also in the middle of a batch: a provider that is slow or asks for patience must not hold writers back.
  const deadline = createDeadline(request.drainSeconds * 1_000);
  const signal = AbortSignal.any([running.signal, deadline.signal]);
  // Whoever is held back must not wait for a throttle too.
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
