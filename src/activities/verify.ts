import type { EmbedActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import type { ReconcileRequest } from '../contract/reindex-activities.ts';
import type { Db } from '../store/database.ts';
import { copyRemoved } from '../store/protocol/removed.ts';
import { syncFailed } from '../store/protocol/repair.ts';
import { type Comparison, compareIndexes, differencesOf } from '../store/protocol/verify.ts';
import { measureRecall } from '../store/recall.ts';
import type { Turns } from '../store/turns.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { removeAllLeftOvers } from './prepare-dest.ts';
import { createWaitMeter } from './support/chunk-waits.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { createWaitReports } from './support/report-waits.ts';
import { createYielding, mustYield } from './support/yield-to-live-traffic.ts';

const REMOVE_BATCH = 1_000;
const SAMPLE = { objects: 20, limit: 10 };

/** Activity that compares the destination of a reindex with its source. */
export function createVerify(deps: ActivityDependencies): Pick<EmbedActivities, 'verify'> {
  const { background: db } = deps;
  const yielding = createYielding(deps);
  return {
    verify: (request) =>
      runWithHeartbeat(async ({ signal }) => {
        const dest = await requireIndex(db, request.destNo);
        const meter = createWaitMeter(deps.client);
        const reports = createWaitReports(deps.client, meter);
        const turns: Turns = {
          isLive: () => mustYield(deps),
          async take(piece) {
            const result = await yielding(signal, piece, meter.onLive);
            reports.report();
            return result;
          },
        };
        const removed = await removeAllLeftOvers(db, request, false);
        if (dest.versioning === 'external') await copyAllRemoved(db, request, signal);
        const found = await compareIndexes(db, request, request.mark, { turns });
        const wrong = differencesOf(found);
        if (wrong.length > 0) throw new ReembedError('VerifyFailed', `${dest.name}: ${wrong.join('; ')}`);
        await syncFailed(db, request.taskId, request.destNo);
        requireFewFailed(found, request.maxFailed);
        const { source, dest: count, failed } = found;
        const recall = await measureRecall(db, dest, SAMPLE, turns);
        await reports.end();
        return { source, dest: count, failed, removed, recall };
      }),
  };
}

async function copyAllRemoved(db: Db, request: ReconcileRequest, signal: AbortSignal): Promise<void> {
  for (let after: string | null = ''; after !== null; ) {
    signal.throwIfAborted();
    after = await copyRemoved(db, request.lock, request, { after, limit: REMOVE_BATCH });
  }
}

/**
 * Checks the number of failed objects, without those that the source could not embed either. Error: `TooManyFailed`,
 * also if nothing was embedded.
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
