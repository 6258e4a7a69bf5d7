import type { EmbedActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { changeVectorIndex, claimVectorIndex, findChangeable } from '../store/change-vector-index.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { reportingBuild } from './support/report-build.ts';
import { mustYield } from './support/yield-to-live-traffic.ts';

/** Activities of a task that changes the vector index of an index. */
export function createChangeVectorIndex(
  deps: ActivityDependencies,
): Pick<EmbedActivities, 'beginVectorIndexChange' | 'changeVectorIndex'> {
  const { background: db, client, settings, metrics } = deps;
  return {
    beginVectorIndexChange: ({ taskId, index: name, indexNo, vectorIndex, isClaimed }) =>
      runWithHeartbeat(async () => {
        const index = await findChangeable(db, name, vectorIndex);
        if (indexNo !== null && index.no !== indexNo) {
          throw new ReembedError('IndexDeleted', `the index ${name} was deleted, and there is another of its name`);
        }
        if (!isClaimed) await claimVectorIndex(db, index.no, taskId);
        return { indexNo: index.no };
      }),

    changeVectorIndex: (change) =>
      runWithHeartbeat(({ signal }) =>
        reportingBuild(client, async (onProgress) => {
          const oneProcess = await mustYield(deps);
          const outcome = await changeVectorIndex(db, change, {
            memoryMb: settings.indexMemoryMb,
            afterParts: settings.vectorIndexAfterParts,
            oneProcess,
            signal,
            onBuilt: (ms) => metrics?.vectorIndexSeconds.observe(ms / 1_000),
            onProgress: (progress) => onProgress(progress, { givesWay: oneProcess }),
          });
          return outcome ?? { kind: 'busy' };
        }),
      ),
  };
}
