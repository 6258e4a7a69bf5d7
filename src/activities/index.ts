import type { ControlActivities, EmbedActivities } from '../contract/activities.ts';
import type { LaneActivities, SteerActivities } from '../contract/job-activities.ts';
import type { SourceActivities } from '../contract/source-activities.ts';
import { withMetrics } from '../metrics/activities.ts';
import { createAdmitActivities } from './admit.ts';
import { createAuditActivities } from './audit/audit.ts';
import { createBatchActivities } from './batches/batches.ts';
import { createBuildIndex } from './build-index.ts';
import { createChangeVectorIndex } from './change-vector-index.ts';
import { createCheckModel } from './check-model.ts';
import { createChooseIndexBuild } from './choose-index-build.ts';
import { createCopySlice } from './copy-slice.ts';
import { createCutOver } from './cut-over.ts';
import { createDeleteIndexActivities } from './delete-index.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createEvaluateActivities } from './evaluate.ts';
import { createForward } from './forward.ts';
import { createLaneActivities } from './job-lanes.ts';
import { createLockActivities } from './locks.ts';
import { createMaintenanceActivities } from './maintain.ts';
import { createReconcileActivities } from './reconcile.ts';
import { createRetryFailed } from './retry-failed.ts';
import { createRollBack } from './roll-back.ts';
import { createFollow } from './sources/follow.ts';
import { createSync } from './sources/sync.ts';
import { createSteerActivities } from './steer.ts';
import { createSteeredTaskActivities } from './steered-task.ts';
import { withFailures } from './support/failures.ts';
import { withHeartbeats } from './support/heartbeat.ts';
import { withWaits } from './support/waits.ts';
import { createVerify } from './verify.ts';
import { createWriteChunk } from './write.ts';

export type { ActivityDependencies, TaskSteerer } from './dependencies.ts';

/** Creates the activities of the queues; `control` has `writeChunk` too, since small writes run locally. */
export function createActivities(deps: ActivityDependencies): {
  control: ControlActivities & LaneActivities & SteerActivities & Pick<EmbedActivities, 'writeChunk'>;
  embed: EmbedActivities;
  sources: SourceActivities;
} {
  const writeChunk = createWriteChunk(deps);
  // Failures wrap metrics, so that metrics count our own errors.
  const made = <T extends object>(activities: T) => withFailures(withMetrics(activities, deps.metrics));
  return {
    control: made({
      ...withHeartbeats({
        ...createAdmitActivities(deps),
        ...createLockActivities(deps),
        ...createDeleteIndexActivities(deps),
        ...createSteeredTaskActivities(deps),
        ...createMaintenanceActivities(deps),
        ...createLaneActivities(deps),
        ...createSteerActivities(deps),
      }),
      writeChunk,
    }),
    embed: made(
      withWaits(
        {
          writeChunk,
          retryFailed: createRetryFailed(deps),
          ...createForward(deps),
          ...createCheckModel(deps),
          ...createCopySlice(deps),
          ...createBatchActivities(deps),
          ...createBuildIndex(deps),
          ...createChangeVectorIndex(deps),
          ...createChooseIndexBuild(deps),
          ...createReconcileActivities(deps),
          ...createVerify(deps),
          ...createCutOver(deps),
          ...createRollBack(deps),
          ...createEvaluateActivities(deps),
          ...createAuditActivities(deps),
          ...createSync(deps),
        },
        deps.client,
      ),
    ),
    sources: made(withWaits({ followChanges: createFollow(deps) }, deps.client)),
  };
}
