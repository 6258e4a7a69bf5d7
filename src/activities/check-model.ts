import { Context } from '@temporalio/activity';
import type { EmbedActivities } from '../contract/activities.ts';
import { checkEmbedder } from '../models/check-embedder.ts';
import { lockOnDest } from '../store/protocol/locks.ts';
import { requireIndex } from './copy-objects.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { keepsModel } from './reuse.ts';
import { runWithHeartbeat } from './support/heartbeat.ts';
import { metered } from './support/meter.ts';
import { createPatience, waitOutModel } from './support/patience.ts';
import { waitsOf, watched } from './support/waits.ts';

/** Activity that asks the model of an index for a vector before anything is copied. */
export function createCheckModel(deps: ActivityDependencies): Pick<EmbedActivities, 'checkModel'> {
  const { background: db, models, settings } = deps;
  return {
    checkModel: (indexNo) =>
      runWithHeartbeat(async ({ signal }) => {
        const index = await requireIndex(db, indexNo);
        if (await keepsModel(db, await lockOnDest(db, indexNo))) return;
        const waits = waitsOf(deps.client);
        const asked = watched(models.embedder(index.model), waits);
        const taskId = Context.current().info.workflowExecution?.workflowId;
        const embedder = taskId === undefined ? asked : metered(asked, deps, taskId, index.model);
        const patience = createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder });
        await waitOutModel(patience, () => checkEmbedder(embedder, { signal }));
      }),
  };
}
