import type { EmbedActivities } from '../contract/activities.ts';
import { requireWritable } from '../store/admission.ts';
import { readFailedObjects, writeRepairs } from '../store/protocol/repair.ts';
import { clearFailed, listFailed, recordFailed } from '../store/staging.ts';
import { prepareCopies } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';

/** Objects that are read and embedded together. */
const RETRY_BATCH = 256;

type Result = Awaited<ReturnType<EmbedActivities['retryFailed']>>;

/**
 * Creates the activity `retryFailed`, which embeds the objects of a reindex's failed list in the index that serves now.
 */
export function createRetryFailed(deps: ActivityDependencies): EmbedActivities['retryFailed'] {
  const { db } = deps;
  return ({ taskId, index: name, after }) =>
    runWithHeartbeat<Result, Result>(async (running) => {
      const { signal } = running;
      const index = await requireWritable(db, name);
      const result = running.resumedFrom ?? { embedded: 0, failed: 0, after, more: true };
      while (result.more && !running.isTimeUp()) {
        const listed = await listFailed(db, taskId, { after: result.after, limit: RETRY_BATCH });
        const ids = listed.map(({ objectId }) => objectId);
        const objects = await readFailedObjects(db, index.no, ids);
        const failedIds = new Set<string>();
        for await (const { writes, failed } of prepareCopies(
          deps,
          { taskId, sourceNo: index.no, dest: index, signal },
          objects,
        )) {
          await writeRepairs(
            db,
            index.no,
            writes.filter(({ kind }) => kind === 'content'),
          );
          await recordFailed(db, taskId, failed);
          for (const { objectId } of failed) failedIds.add(objectId);
        }
        // Objects that were deleted or written again are no longer failed either.
        await clearFailed(
          db,
          taskId,
          ids.filter((id) => !failedIds.has(id)),
        );
        result.embedded += objects.length - failedIds.size;
        result.failed += failedIds.size;
        result.after = ids.at(-1) ?? result.after;
        result.more = ids.length === RETRY_BATCH;
        running.beat(result);
      }
      return result;
    });
}
