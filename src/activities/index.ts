import type { ControlActivities, EmbedActivities, LaneActivities } from '../contract/activities.ts';
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
import { createWriteChunk } from './write.ts';

export type { ActivityDependencies } from './dependencies.ts';

/** The activities of the control queue; `writeChunk` too, since small writes run locally with the workflow. */
export function createActivities(deps: ActivityDependencies): {
  control: ControlActivities & LaneActivities & Pick<EmbedActivities, 'writeChunk'>;
  embed: EmbedActivities;
} {
  const writeChunk = createWriteChunk(deps);
  return {
    control: withFailures({
      ...withHeartbeats({
        ...createAdmitActivities(deps),
        ...createControlActivities(deps),
        ...createMaintenanceActivities(deps),
        ...createLaneActivities(deps),
      }),
      writeChunk,
    }),
    embed: withFailures({
      writeChunk,
      retryFailed: createRetryFailed(deps),
      ...createCopyActivities(deps),
      ...createFinishActivities(deps),
    }),
  };
}
