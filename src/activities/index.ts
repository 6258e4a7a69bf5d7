import type { ControlActivities, EmbedActivities, LaneActivities, SteerActivities } from '../contract/activities.ts';
import { withMetrics } from '../metrics/activities.ts';
import { createAdmitActivities } from './admit.ts';
import { createControlActivities } from './control.ts';
import { createCopyActivities } from './copy.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { withFailures } from './failures.ts';
import { createFinishActivities } from './finish.ts';
import { createLaneActivities } from './lanes.ts';
import { createMaintenanceActivities } from './maintain.ts';
import { createRetryFailed } from './retry-failed.ts';
import { withHeartbeats } from './running.ts';
import { createSteerActivities } from './steer.ts';
import { withWaits } from './waits.ts';
import { createWriteChunk } from './write.ts';

export type { ActivityDependencies, TaskControl } from './dependencies.ts';

/** The activities of the control queue; `writeChunk` too, since small writes run locally with the workflow. */
export function createActivities(deps: ActivityDependencies): {
  control: ControlActivities & LaneActivities & SteerActivities & Pick<EmbedActivities, 'writeChunk'>;
  embed: EmbedActivities;
} {
  const writeChunk = createWriteChunk(deps);
  // Failures are the outermost: what is counted are our own errors.
  const made = <T extends object>(activities: T) => withFailures(withMetrics(activities, deps.metrics));
  return {
    control: made({
      ...withHeartbeats({
        ...createAdmitActivities(deps),
        ...createControlActivities(deps),
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
          ...createCopyActivities(deps),
          ...createFinishActivities(deps),
        },
        deps.client,
      ),
    ),
  };
}
