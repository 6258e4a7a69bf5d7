import type { Client } from '@temporalio/client';
import type { TaskSteerer } from '../activities/index.ts';
import {
  cancelTask,
  describeTask,
  eachTask,
  ignoreTask,
  pauseTask,
  restartTask,
  resumeTask,
  rowOf,
} from '../temporal/index.ts';

/** Time that each of many tasks has to stop before the next ones are canceled. */
const CANCEL_WAIT_MS = 3_000;

/** Creates the interface with which activities list and steer tasks, on the Temporal client. */
export function createTaskSteerer(client: Client): TaskSteerer {
  return {
    async *list({ createdAfter, createdBefore, ...filter }) {
      const dates = {
        createdAfter: createdAfter === undefined ? undefined : new Date(createdAfter),
        createdBefore: createdBefore === undefined ? undefined : new Date(createdBefore),
      };
      for await (const { id, type, status, links } of eachTask(client, { ...filter, ...dates })) {
        yield { taskId: id, type, status, runId: links?.runId ?? null };
      }
    },
    async look(taskId) {
      const described = await describeTask(client, taskId);
      const { type, status } = rowOf(described, described.taskType);
      return { type, status, runId: described.runId, ended: !described.running };
    },
    cancel: (taskId, { reason, by }) => cancelTask(client, taskId, reason, { by, waitMs: CANCEL_WAIT_MS }),
    restart: (taskId, { force, by }) => restartTask(client, taskId, { force, by }),
    pause: (taskId, { by }) => pauseTask(client, taskId, { by }),
    resume: (taskId, { by }) => resumeTask(client, taskId, { by }),
    ignore: (taskId, { reason, by }) => ignoreTask(client, taskId, reason, { by }),
  };
}
