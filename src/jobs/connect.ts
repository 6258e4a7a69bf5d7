import type { Client } from '@temporalio/client';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { findAddresses } from '../settings/dev-addresses.ts';
import { given, readSetting } from '../settings/read.ts';
import { readTemporalSettings } from '../settings/temporal.ts';
import { createTemporalClient, openLazyConnection } from '../temporal/connect.ts';
import { hasWorkers } from '../temporal/workers.ts';
import { globalRegistry } from './registry.ts';
import type { JobConnection, Registry } from './types.ts';

export interface ConnectJobsOptions {
  /**
   * Default: a client that connects at the first call, using `TEMPORAL_*` and `REEMBED_ENCRYPTION_KEYS`; without an
   * address, to the `dev` that runs in `REEMBED_DATA_DIR`, or to a server on this machine with workers of the task
   * queue.
   */
  client?: Client;
  /** Default: `REEMBED_TASK_QUEUE`, or the task queue of the `dev`. */
  taskQueue?: string;
  /** Default: the global registry. */
  registry?: Registry;
}

/**
 * Connects a registry to Temporal, so that its tasks can be sent. A worker does this automatically. `close` closes the
 * connection, unless `client` was passed. Error: `InvalidSetting`.
 *
 * @example
 * const jobs = connectJobs();
 * await sendMail.delay({ to: 'a@example.com' });
 * await jobs.close();
 */
export function connectJobs(options: ConnectJobsOptions = {}): { client: Client; close(): Promise<void> } {
  const { registry = globalRegistry() } = options;
  const taskQueue = options.taskQueue ?? readSetting('taskQueue', process.env);
  if (options.client) {
    registry.connect({ client: options.client, taskQueue });
    return { client: options.client, close: async () => {} };
  }
  const { connection, close } = fromEnvironment(process.env, options.taskQueue);
  registry.connect(connection);
  return { client: connection.client, close };
}

function fromEnvironment(
  env: NodeJS.ProcessEnv,
  givenQueue: string | undefined,
): { connection: JobConnection; close(): Promise<void> } {
  const settings = readTemporalSettings(env);
  const found = settings.isDefault ? findAddresses(env) : undefined;
  const address = found?.temporal ?? settings.address;
  const namespace = found?.namespace ?? settings.namespace;
  const own = given(env, 'REEMBED_TASK_QUEUE') ?? found?.taskQueue;
  const taskQueue = givenQueue ?? own ?? readSetting('taskQueue', env);
  const connection = openLazyConnection({ ...settings.connection, address });
  const client = createTemporalClient(connection, { namespace, encryptionKeys: settings.encryptionKeys });
  // Without a configured address, the server at the default one may belong to another application.
  const check = settings.isDefault && !found ? () => requireWorkers(client, { address, taskQueue }) : undefined;
  return { connection: { client, taskQueue, check }, close: () => connection.close() };
}

async function requireWorkers(
  client: Client,
  { address, taskQueue }: { address: string; taskQueue: string },
): Promise<void> {
  try {
    if (await hasWorkers(client, taskQueue)) return;
  } catch (error) {
    if (error instanceof ReembedError) throw error;
    // The namespace does not exist, or access is denied.
    throw new ReembedError('NotConnected', `the Temporal server at ${address}: ${messageOf(error)}`, { cause: error });
  }
  throw new ReembedError(
    'NotConnected',
    `no reembed serves the task queue ${taskQueue} on the Temporal server at ${address}: start reembed dev in this folder, set REEMBED_DATA_DIR to that of the running one, or set TEMPORAL_ADDRESS to the server for the jobs`,
  );
}
