import { setTimeout as delay } from 'node:timers/promises';
import type { EmbedActivities } from '../contract/activities.ts';
import { isBeingBuilt } from '../store/protocol/locks.ts';
import { buildVectorIndex } from '../store/vector-index.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { reportingBuild } from './support/report-build.ts';
import { mustYield } from './support/yield-to-live-traffic.ts';

/** Time after which a build that another session runs is looked at again. */
const BUILD_POLL_MS = 1_000;

/** Activity that builds the HNSW index of an index. */
export function createBuildIndex(deps: ActivityDependencies): Pick<EmbedActivities, 'buildVectorIndex'> {
  const { background: db, client, settings, metrics } = deps;
  return {
    buildVectorIndex: (indexNo, { leaveLocked = false } = {}) =>
      runWithHeartbeat(async ({ signal }) => {
        if (leaveLocked && (await isBeingBuilt(db, indexNo))) return;
        await reportingBuild(client, async (onProgress) => {
          const build = async () => {
            const oneProcess = await mustYield(deps);
            return buildVectorIndex(db, await requireIndex(db, indexNo), {
              memoryMb: settings.indexMemoryMb,
              oneProcess,
              signal,
              onBuilt: (ms) => metrics?.vectorIndexSeconds.observe(ms / 1_000),
              onProgress: (progress) => onProgress(progress, oneProcess),
            });
          };
          // Wait while another task builds it, or the connection of a dead worker still does.
          while (!(await build())) await delay(BUILD_POLL_MS, undefined, { signal });
        });
      }),
  };
}
