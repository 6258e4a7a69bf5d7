import { Client, Connection, type ConnectionLike } from '@temporalio/client';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { traceStarts } from '../tracing/temporal.ts';
import { encryptedData } from './encryption/data-converter.ts';
import type { EncryptionKey } from './encryption/keys.ts';

/** What a client needs to know of the server, besides the connection. */
export interface ClientOptions {
  namespace: string;
  /** Empty if payloads are not encrypted. */
  encryptionKeys: readonly EncryptionKey[];
}

/** Creates the client of a process. Every client of the product is created here: it encrypts, and passes traces on. */
export function createTemporalClient(connection: ConnectionLike, { namespace, encryptionKeys }: ClientOptions): Client {
  const interceptors = { workflow: [traceStarts] };
  return new Client({ connection, namespace, dataConverter: encryptedData(encryptionKeys), interceptors });
}

/** Creates a connection that connects at its first call. Takes the options of a worker's connection. */
export function openLazyConnection(options: NativeConnectionOptions): Connection {
  return Connection.lazy(options as Parameters<typeof Connection.lazy>[0]);
}
