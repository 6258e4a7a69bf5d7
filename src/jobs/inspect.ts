import { jobQueueOf } from '../contract/names.ts';
import { callTemporal } from '../temporal/call.ts';
import { cancelTask, getTracker, listTasks } from '../temporal/index.ts';
import type { JobConnection, JobControl, JobWorker, Registry } from './types.ts';

/** Temporal's number for activity task queues. */
const ACTIVITY_QUEUE = 2;
const MAX_JOBS = 1_000;

export function createJobControl({ client, taskQueue }: JobConnection, registry: Registry): JobControl {
  const running: JobControl['running'] = async ({ name } = {}) => {
    const { tasks } = await listTasks(client, { types: ['job'], name, open: true, limit: MAX_JOBS });
    const trackers = await Promise.all(tasks.map(({ id }) => getTracker(client, id)));
    return trackers.map(({ id, status, data, createTime }) => ({
      id,
      name: String(data.name),
      status,
      workerId: status === 'processing' && typeof data.workerId === 'string' ? data.workerId : null,
      createTime,
    }));
  };
  return {
    running,
    cancel: (taskId, reason) => cancelTask(client, taskId, reason),
    async workers(queues = queuesOf(registry)) {
      const workers = new Map<string, JobWorker>();
      for (const queue of new Set(['default', ...queues])) {
        for (const { workerId, lastSeen } of await listPollers(client, jobQueueOf(taskQueue, queue))) {
          const known = workers.get(workerId) ?? { workerId, queues: [], lastSeen, running: [] };
          known.queues.push(queue);
          if (lastSeen > known.lastSeen) known.lastSeen = lastSeen;
          workers.set(workerId, known);
        }
      }
      for (const { id, workerId } of await running()) if (workerId) workers.get(workerId)?.running.push(id);
      return [...workers.values()];
    },
  };
}

/** Returns the queues named in definitions; queues chosen by functions of the input are not known in advance. */
export function queuesOf({ tasks }: Registry): string[] {
  const named = tasks.map(({ options }) => options.queue).filter((queue) => typeof queue === 'string');
  return [...new Set(named)];
}

async function listPollers(client: JobConnection['client'], name: string) {
  const { namespace } = client.options;
  const request = { namespace, taskQueue: { name }, taskQueueType: ACTIVITY_QUEUE };
  const { pollers } = await callTemporal(client, '', () => client.workflowService.describeTaskQueue(request));
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    workerId: identity ?? '',
    lastSeen: new Date(Number(lastAccessTime?.seconds ?? 0) * 1_000).toISOString(),
  }));
}
