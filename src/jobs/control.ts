import { callTemporal } from '../client/temporal/call.ts';
import { cancelTask, getTracker, listTasks } from '../client/temporal/index.ts';
import { jobQueueOf } from '../contract/names.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { JobConnection, Registry } from './registry.ts';

/** A job that has not ended. */
export interface RunningJob {
  id: string;
  name: string;
  status: Tracker['status'];
  /** Null while no worker runs its handler. */
  workerId: string | null;
  createTime: string;
}

/** A worker that asks for jobs, as Temporal knows it. */
export interface JobWorker {
  workerId: string;
  /** Names of its queues; `default` is the one without a name. */
  queues: string[];
  /** When it last asked for work: a minute ago or less for one that lives. */
  lastSeen: string;
  /** Ids of the jobs it runs. */
  running: string[];
}

/** Looks at jobs and workers. Temporal is asked, so that it is the same from every process. */
export interface JobControl {
  /** Jobs that have not ended; with `name`, those of this name alone. */
  running(filter?: { name?: string }): Promise<RunningJob[]>;
  /** Cancels a job, and waits at most ten seconds until it has stopped. */
  cancel(taskId: string, reason?: string): Promise<Tracker>;
  /** Workers of the default queue and of the named ones. */
  workers(queues?: readonly string[]): Promise<JobWorker[]>;
}

/** Temporal's number for the queues of activities. */
const ACTIVITY_QUEUE = 2;
const MOST_JOBS = 1_000;

export function createJobControl({ client, taskQueue }: JobConnection, registry: Registry): JobControl {
  const running: JobControl['running'] = async ({ name } = {}) => {
    const { tasks } = await listTasks(client, { types: ['job'], name, open: true, limit: MOST_JOBS });
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
        for (const { workerId, lastSeen } of await pollersOf(client, jobQueueOf(taskQueue, queue))) {
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

/** The queues that definitions name; those that functions of the input choose are not known before. */
export function queuesOf({ tasks }: Registry): string[] {
  const named = tasks.map(({ options }) => options.queue).filter((queue) => typeof queue === 'string');
  return [...new Set(named)];
}

async function pollersOf(client: JobConnection['client'], name: string) {
  const { namespace } = client.options;
  const request = { namespace, taskQueue: { name }, taskQueueType: ACTIVITY_QUEUE };
  const { pollers } = await callTemporal(client, '', () => client.workflowService.describeTaskQueue(request));
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    workerId: identity ?? '',
    lastSeen: new Date(Number(lastAccessTime?.seconds ?? 0) * 1_000).toISOString(),
  }));
}
