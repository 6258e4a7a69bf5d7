import { Context } from '@temporalio/activity';
import type { ControlActivities, LockPairRequest } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { modelKeyOf } from '../models/model-key.ts';
import { deletedSince } from '../store/admission.ts';
import { transaction } from '../store/database.ts';
import { dropIndex } from '../store/drop-index.ts';
import { findIndex, findIndexByNo, markDeleting, resolveIndex } from '../store/indexes.ts';
import { liftPause } from '../store/model-limits.ts';
import { isInTheWay, type LockRequest, lockPair, releaseLock } from '../store/protocol/lock-pair.ts';
import { renewLock } from '../store/protocol/locks.ts';
import { hasAtMost, planSlices } from '../store/protocol/slices.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { prepareDest } from './left-overs.ts';

const SLICES = { leastObjects: 500, mostSlices: 400, mostInFlight: 4 };

/** Locks, plans and the deletion of indexes. */
export function createControlActivities(
  deps: ActivityDependencies,
): Pick<
  ControlActivities,
  | 'requestCancel'
  | 'liftPauses'
  | 'lockPair'
  | 'isInTheWay'
  | 'renewLock'
  | 'releaseLock'
  | 'wasCutOver'
  | 'planSlices'
  | 'prepareDest'
  | 'markDeleting'
  | 'dropIndex'
> {
  const { background: db, settings } = deps;
  const plan = (sourceNo: number, after: string | null, lanes: number) =>
    planSlices(db, sourceNo, { ...SLICES, mostObjects: settings.sliceObjects, after, lanes });
  const lockRequestOf = ({ taskId, lock, input }: LockPairRequest): LockRequest => ({
    taskId,
    lock,
    lockSeconds: input.lockSeconds ?? 900,
    source: input.source,
    dest: input.dest,
    destModel: input.destModel,
    destSplitter: input.destSplitter,
    destAverage: input.destAverage,
    alias: input.alias,
    maxConcurrentReindexes: settings.maxConcurrentReindexes,
  });
  return {
    isInTheWay: (request) => isInTheWay(db, lockRequestOf(request)),
    async liftPauses(names) {
      for (const name of names) {
        const index = await resolveIndex(db, name).catch(unlessThere);
        if (index) await liftPause(db, modelKeyOf(index.model));
      }
    },
    async requestCancel() {
      const { workflowExecution } = Context.current().info;
      await deps.cancelWorkflow(workflowExecution?.workflowId ?? '', workflowExecution?.runId ?? '');
    },
    async lockPair({ lanes, ...request }) {
      const { lock } = request;
      const outcome = await lockPair(db, lockRequestOf(request));
      if (outcome.kind !== 'locked') return outcome;
      const { sourceNo } = outcome;
      const isPlanned = lanes !== undefined && (await hasAtMost(db, sourceNo, settings.sliceObjects));
      return { ...outcome, lock, plan: isPlanned ? await plan(sourceNo, null, lanes) : null };
    },
    async renewLock(lock, lockSeconds) {
      return (await renewLock(db, lock, lockSeconds)).toISOString();
    },
    releaseLock: (lock) => releaseLock(db, lock),
    wasCutOver: async (destNo, lock) => (await findIndexByNo(db, destNo))?.builtByLock === lock,
    prepareDest: (request) => prepareDest(db, request),
    planSlices: ({ sourceNo, after, lanes }) => plan(sourceNo, after, lanes),
    async markDeleting({ index, indexNo, force, ownLock }) {
      const marked = await transaction(db, async (trx) => {
        if (indexNo !== null && (await findIndex(trx, index))?.no !== indexNo) {
          throw deletedSince(index);
        }
        return markDeleting(trx, index, { force, ownLock: ownLock ?? undefined });
      });
      return { indexNo: marked.no };
    },
    dropIndex: (indexNo) => dropIndex(db, indexNo),
  };
}

/** The destination of a reindex may not be there yet. */
function unlessThere(error: unknown): undefined {
  if (!(error instanceof ReembedError) || error.type !== 'IndexNotFound') throw error;
}
