import { setTimeout as delay } from 'node:timers/promises';
import type { EmbedActivities } from '../contract/activities.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import type { Db } from '../store/database.ts';
import { graphBytes } from '../store/plan/build-time.ts';
import { isBeingBuilt } from '../store/protocol/locks.ts';
import type { IndexRow } from '../store/schema.ts';
import { buildVectorIndex, hasParts } from '../store/vector-index.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { reportingBuild } from './support/report-build.ts';
import { mustYield } from './support/yield-to-live-traffic.ts';

/** Time after which a build that another session runs is looked at again. */
const BUILD_POLL_MS = 1_000;
const MB = 1024 * 1024;

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
            const index = await requireIndex(db, indexNo);
            const fits = await fitsIntoMemory(db, index, settings.indexMemoryMb);
            return buildVectorIndex(db, index, {
              memoryMb: settings.indexMemoryMb,
              oneProcess,
              signal,
              onBuilt: (ms) => metrics?.vectorIndexSeconds.observe(ms / 1_000),
              onProgress: (progress) => onProgress(progress, { givesWay: oneProcess, fits }),
            });
          };
          // Wait while another task builds it, or the connection of a dead worker still does.
          while (!(await build())) await delay(BUILD_POLL_MS, undefined, { signal });
        });
      }),
  };
}

/** Whether the graph of a build fits into its memory; counts no further than that. */
async function fitsIntoMemory(db: Db, index: IndexRow, memoryMb: number): Promise<boolean> {
  const hnsw = resolveVectorIndex(index);
  if (hnsw.kind === 'none') return true;
  return !(await hasParts(db, index, Math.floor((memoryMb * MB) / graphBytes(hnsw)) + 1));
}
