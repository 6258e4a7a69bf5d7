import { setTimeout as delay } from 'node:timers/promises';
import type { CutOverRequest, EmbedActivities, ReconcileRequest } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { checkEmbedder } from '../models/models.ts';
import type { Db } from '../store/database.ts';
import { removeUnknown } from '../store/protocol/copy.ts';
import { cutOver, prolongDraining, setDraining } from '../store/protocol/cut-over.ts';
import { isBeingBuilt, requireLock } from '../store/protocol/locks.ts';
import { copyRemoved } from '../store/protocol/removed.ts';
import { compareIndexes } from '../store/protocol/verify.ts';
import { measureRecall } from '../store/recall.ts';
import { buildVectorIndex } from '../store/vector-index.ts';
import { reconcileUntil } from './copy.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { mustGiveWay } from './give-way.ts';
import { createPatience, patiently, type Running, runWithHeartbeat } from './running.ts';
import { waitsOf, watched } from './waits.ts';

/** Writers are held back by the clock, for a moment at a time: if this worker dies, they go on that soon. */
const DRAIN_LEASE_SECONDS = 0.7;
const DRAIN_RENEW_MS = 200;
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
        await patiently(createPatience(signal, waits, settings.modelPatienceMs), () => checkEmbedder(embedder, signal));
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
      runWithHeartbeat(async (running) => {
        const dest = await requireIndex(db, request.destNo);
        let removed = 0;
        for (let batch = REMOVE_BATCH; batch === REMOVE_BATCH; removed += batch) {
          running.signal.throwIfAborted();
          batch = await removeUnknown(db, request.lock, request, REMOVE_BATCH);
        }
        if (dest.versioning === 'external') await copyAllRemoved(db, request, running.signal);
        const found = await compareIndexes(db, request, request.mark);
        const wrong = [
          found.behind > 0 && `${found.behind} objects are missing or older, for instance ${found.examples.join(', ')}`,
          found.withoutParts > 0 && `${found.withoutParts} objects have no part`,
          found.orphanedParts > 0 && `${found.orphanedParts} parts have no object`,
        ].filter((line) => line !== false);
        if (wrong.length > 0) throw new ReembedError('VerifyFailed', `${dest.name}: ${wrong.join('; ')}`);
        const { maxFailed } = request;
        const allowed = maxFailed > 0 && maxFailed < 1 ? maxFailed * found.source : maxFailed;
        if (maxFailed !== -1 && found.failed > allowed) {
          throw new ReembedError(
            'TooManyFailed',
            `${found.failed} objects could not be embedded, ${maxFailed} are allowed`,
          );
        }
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
  const deadline = AbortSignal.timeout(request.drainSeconds * 1_000);
  const signal = AbortSignal.any([running.signal, deadline]);
  // Whoever is held back must not wait for a throttle too.
  const pair = { ...request, ratePerSecond: null };
  try {
    const switched = await whileDraining(db, lock, async () => {
      do {
        const pass = await reconcileUntil(deps, { ...pair, mark }, { signal }, (reached) => {
          mark = reached;
          return deadline.aborted;
        });
        mark = pass.mark;
        if (pass.more) continue;
        const outcome = await cutOver(db, { ...step, mark });
        if (outcome.kind === 'done') return { kind: 'done' as const, mark: outcome.mark, drainMs: elapsedMs() };
      } while (!deadline.aborted);
      return null;
    });
    if (switched) return switched;
  } catch (error) {
    if (running.signal.aborted || !deadline.aborted || !isAbort(error)) throw error;
  }
  return { kind: 'notYet' as const, mark, drainMs: elapsedMs() };
}

/** Holds writers back for as long as `work` takes and this process lives. */
async function whileDraining<T>(db: Db, lock: string, work: () => Promise<T>): Promise<T> {
  await setDraining(db, lock, DRAIN_LEASE_SECONDS);
  const over = new AbortController();
  const renewing = renewDraining(db, lock, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await renewing;
    await setDraining(db, lock, null).catch(() => {}); // the lock is gone after the switch; else it ends by itself
  }
}

async function renewDraining(db: Db, lock: string, over: AbortSignal): Promise<void> {
  for (;;) {
    await delay(DRAIN_RENEW_MS, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    // If that fails, writers go on, and the cut-over finds them and brings what they wrote.
    await prolongDraining(db, lock, DRAIN_LEASE_SECONDS).catch(() => {});
  }
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
