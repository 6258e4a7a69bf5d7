import { Client, Connection } from '@temporalio/client';
import { encryptedData } from '../client/temporal/encryption/data-converter.ts';
import { readSetting } from '../runtime/read-setting.ts';
import { readTemporalSettings } from '../runtime/temporal-settings.ts';
import { globalRegistry, type Registry } from './registry.ts';

export interface ConnectJobsOptions {
  /** Made from `TEMPORAL_*` and `REEMBED_ENCRYPTION_KEYS` if not given; it connects at the first call then. */
  client?: Client;
  /** `REEMBED_TASK_QUEUE` if not given. */
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
  const { registry = globalRegistry(), taskQueue = readSetting('taskQueue', process.env) } = options;
  const { client, close } = options.client
    ? { client: options.client, close: async () => {} }
    : clientFromEnvironment();
  registry.connect({ client, taskQueue });
  return { client, close };
}

function clientFromEnvironment(): { client: Client; close(): Promise<void> } {
  const { connection: settings, namespace, encryptionKeys } = readTemporalSettings(process.env);
  const connection = Connection.lazy(settings as Parameters<typeof Connection.lazy>[0]);
  const dataConverter = encryptedData(encryptionKeys);
  return { client: new Client({ connection, namespace, dataConverter }), close: () => connection.close() };
}
