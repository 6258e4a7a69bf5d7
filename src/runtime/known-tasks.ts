import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { ActivityDependencies } from '../activities/index.ts';

/** How maintenance finds out what is left over: by what Temporal still knows. */
export function createKnownTasks(client: Client): Pick<ActivityDependencies, 'isTaskKnown' | 'isStagingUsed'> {
  return {
    isTaskKnown: async (taskId) => (await describe(client, taskId)) !== undefined,
    isStagingUsed: async (taskId, staging) => {
      const task = await describe(client, taskId);
      if (!task) return false;
      // A start by hand has staged under its first run's id; the API has left the name in the memo.
      const firstRunId = task.raw.workflowExecutionInfo?.firstRunId;
      return !firstRunId || task.memo?.staging === staging || staging === `${taskId}/${firstRunId}`;
    },
  };
}

/** The newest run of a workflow, if Temporal knows one. */
async function describe(client: Client, workflowId: string) {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
