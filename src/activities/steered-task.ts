import { Context } from '@temporalio/activity';
import type { ControlActivities } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import { modelKeyOf } from '../models/model-key.ts';
import { resolveIndex } from '../store/indexes.ts';
import { liftPause } from '../store/model-limits.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Activities that a task calls when someone cancels or resumes it. */
export function createSteeredTaskActivities(
  deps: ActivityDependencies,
): Pick<ControlActivities, 'requestCancel' | 'liftPauses'> {
  const { background: db } = deps;
  return {
    async liftPauses(names) {
      for (const name of names) {
        const index = await resolveIndex(db, name).catch(unlessThere);
        if (index) await liftPause(db, modelKeyOf(index.model));
      }
    },
    async requestCancel() {
      const { workflowExecution } = Context.current().info;
      await deps.cancelWorkflow(workflowExecution?.workflowId ?? '', workflowExecution?.runId ?? '');
    },
  };
}

/** Ignores `IndexNotFound`: the destination of a reindex may not exist yet. */
function unlessThere(error: unknown): undefined {
  if (!(error instanceof ReembedError) || error.type !== 'IndexNotFound') throw error;
}
