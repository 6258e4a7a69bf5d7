import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { ActivityDependencies } from '../activities/index.ts';

/** Finds orphaned items for maintenance, by which tasks Temporal still has. */
export function createKnownTasks(client: Client): Pick<ActivityDependencies, 'isTaskKnown' | 'isStagingUsed'> {
  return {
    isTaskKnown: async (taskId) => (await describe(client, taskId)) !== undefined,
    isStagingUsed: async (taskId, staging) => {
      const task = await describe(client, taskId);
      if (!task) return false;
      // The memo has the staging id of tasks started by the API; a start by hand stages under its first run's id.
      const firstRunId = task.raw.workflowExecutionInfo?.firstRunId;
      return !firstRunId || task.memo?.staging === staging || staging === `${taskId}/${firstRunId}`;
    },
  };
}

/** Describes the latest run of a workflow; undefined if Temporal has none. */
async function describe(client: Client, workflowId: string) {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
