import type { EmbedActivities } from '../contract/activities.ts';
import {
  chooseIndexBuild,
  type IndexBuildChoice,
  MIN_PARTS_TO_CHOOSE,
  memoryWarning,
  SMALL,
} from '../contract/index-build.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import { countIndex } from '../store/index-info.ts';
import { buildTimes, graphBytes } from '../store/plan/build-time.ts';
import { distanceMicroseconds } from '../store/plan/speed.ts';
import { isVectorIndexReady } from '../store/vector-index.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { mustYield } from './support/yield-to-live-traffic.ts';

const MB = 1024 * 1024;
/** Time of a copy that does not grow with it: a slice starts and ends. */
const FIXED_MS = 300;

/** Activity that chooses when the HNSW index of a destination is built. */
export function createChooseIndexBuild(deps: ActivityDependencies): Pick<EmbedActivities, 'chooseIndexBuild'> {
  const { background: db, settings } = deps;
  return {
    chooseIndexBuild: ({ destNo, asked, total, copied, copyMs }) =>
      runWithHeartbeat(async () => {
        const dest = await requireIndex(db, destNo);
        const hnsw = resolveVectorIndex(dest);
        if (hnsw.kind === 'none') return withoutTimes('after', 'the index has no HNSW index');
        if (await isVectorIndexReady(db, dest)) return withoutTimes('during', 'the HNSW index is there already');
        const counts = await countIndex(db, destNo);
        const partsPerObject = counts.objects > 0 ? Math.max(1, counts.parts / counts.objects) : 1;
        const vectors = Math.round(partsPerObject * Math.max(total, counts.objects));
        const isSmall = vectors < (settings.minPartsToChoose ?? MIN_PARTS_TO_CHOOSE);
        if (asked === 'auto' && isSmall) return { ...SMALL, share: null, warning: null };
        const { dimensions } = dest.model;
        const input = {
          ...{ vectors, dimensions, hnsw },
          distanceMicroseconds: await distanceMicroseconds(db, dimensions),
          memory: Math.round(vectors * graphBytes(hnsw)),
          allowed: settings.indexMemoryMb * MB,
        };
        const copySeconds = (Math.max(0, copyMs - FIXED_MS) / 1_000 / Math.max(1, copied)) * total;
        const times = buildTimes(input, copySeconds, await mustYield(deps));
        const choice = chooseIndexBuild(times);
        const warning = times.fits ? null : memoryWarning(input.memory, input.allowed);
        if (asked === 'split')
          return { ...choice, chosen: 'split', why: 'as asked', share: times.split.share, warning };
        return { ...choice, share: choice.chosen === 'split' ? times.split.share : null, warning };
      }),
  };
}

function withoutTimes(chosen: 'after' | 'during', why: string): IndexBuildChoice {
  return { chosen, why, forecast: null, share: null, warning: null };
}
