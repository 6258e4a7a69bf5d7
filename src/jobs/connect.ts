import { Client, Connection } from '@temporalio/client';
import { encryptedData } from '../client/temporal/encryption/data-converter.ts';
import { hasWorkers } from '../client/temporal/workers.ts';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { findAddresses } from '../runtime/dev-addresses.ts';
import { given } from '../runtime/environment.ts';
import { readSetting } from '../runtime/read-setting.ts';
import { readTemporalSettings } from '../runtime/temporal-settings.ts';
import { globalRegistry, type JobConnection, type Registry } from './registry.ts';

export interface ConnectJobsOptions {
  /**
   * If not given, one is made that connects at the first call: with `TEMPORAL_*` and `REEMBED_ENCRYPTION_KEYS`; without
   * an address there, to the `dev` that runs in `REEMBED_DATA_DIR`, or to a server on this machine that has workers of
   * the task queue.
   */
  client?: Client;
  /** If not given, `REEMBED_TASK_QUEUE`, or that of the `dev`. */
  taskQueue?: string;
  /** The global one if not given. */
  registry?: Registry;
}

/**
 * Connects a registry to Temporal, so that its tasks can be sent. In a worker this is done already. `close` closes the
 * connection unless the client was given. Error: `InvalidSetting`.
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
  const options = { ...settings.connection, address } as Parameters<typeof Connection.lazy>[0];
  const connection = Connection.lazy(options);
  const dataConverter = encryptedData(settings.encryptionKeys);
  const client = new Client({ connection, namespace, dataConverter });
  // Nobody has said where to: whatever listens there may be someone else's.
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
    // It has no such namespace, or lets nobody in.
    throw new ReembedError('NotConnected', `the Temporal server at ${address}: ${messageOf(error)}`, { cause: error });
  }
  throw new ReembedError(
    'NotConnected',
    `no reembed serves the task queue ${taskQueue} on the Temporal server at ${address}: start reembed dev in this folder, or set REEMBED_DATA_DIR to that of the one that runs, or TEMPORAL_ADDRESS to where jobs are to go`,
  );
}
