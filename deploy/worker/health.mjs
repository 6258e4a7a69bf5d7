// Tells whether the worker of this container asks Temporal for work; ends with 0 if so. A worker has no port of its own,
// and a process that lives may still have lost its way: what Temporal has seen is the truth.
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/** A poll lasts a minute at most, so a worker that has not been seen for two is not polling. */
const STALE_AFTER_MS = 120_000;
const WORKFLOW_TASKS = 1;
const ACTIVITY_TASKS = 2;

const { connectionOptions, namespace } = loadClientConnectConfig();
const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' });
const queue = process.env.REEMBED_TASK_QUEUE || 'reembed';

/** The workers seen on a queue, as `pid@hostname`. */
async function pollersOf(name, taskQueueType) {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace: namespace ?? 'default',
    taskQueue: { name },
    taskQueueType,
  });
  return pollers ?? [];
}

const pollers = (
  await Promise.all([pollersOf(queue, WORKFLOW_TASKS), pollersOf(`${queue}-embed`, ACTIVITY_TASKS)])
).flat();
const oldest = Date.now() - STALE_AFTER_MS;
const seen = pollers.some(
  ({ identity, lastAccessTime }) =>
    identity?.includes(hostname()) && Number(lastAccessTime?.seconds ?? 0) * 1000 > oldest,
);
process.stdout.write(seen ? 'polling\n' : `no poll of ${hostname()} on ${queue}\n`);
process.exit(seen ? 0 : 1);
