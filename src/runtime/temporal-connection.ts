import { Client, Connection, type ConnectionLike, isGrpcServiceError } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { encryptedData } from '../client/temporal/encryption/data-converter.ts';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { traceStarts } from '../tracing/temporal.ts';
import { patiently, type WaitOptions } from './patience.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { temporalLogger } from './temporal-log.ts';
import type { TemporalSettings } from './temporal-settings.ts';

const CALL_TIMEOUT_MS = 5_000;
/** gRPC's code for a name that does not exist. */
const NOT_FOUND = 5;
/** gRPC's codes for calls that no waiting helps: bad argument, not allowed, not known who it is. */
const HOPELESS = new Set([3, 7, 16]);

/** As Prometheus has it: units in the names, durations in seconds. */
const METRIC_NAMES = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };

let runtimeInstalled = false;

/**
 * Gives Temporal's core our log. Once in a process, before the first connection; signals stay ours. With an address the
 * core shows its own metrics there.
 */
export function installTemporalRuntime(log: Logger, metricsAddress?: string): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  Runtime.install({
    logger: temporalLogger(log),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress && { metrics: { prometheus: { bindAddress: metricsAddress, ...METRIC_NAMES } } }),
    },
    // By default every worker stops at the signal, whatever else must come before.
    shutdownSignals: [],
  });
}

/**
 * Connects to the Temporal server for workers, and sees to it that the namespace is there and has our search
 * attributes. Waits for a server that does not answer yet.
 * @throws ReembedError `TemporalUnavailable` with the address and what is wrong.
 */
export async function connectTemporal(
  temporal: TemporalSettings,
  log: Logger,
  wait: WaitOptions,
): Promise<NativeConnection> {
  installTemporalRuntime(log);
  return await patiently(wait, async () => {
    let connection: NativeConnection | undefined;
    try {
      connection = await NativeConnection.connect(temporal.connection);
      await prepareNamespace(connection, temporal.namespace, log);
      return connection;
    } catch (error) {
      await connection?.close();
      throw asUnavailable(error, temporal);
    }
  });
}

/**
 * A client for the API, which starts and searches although Temporal may be away: it connects at the first call, and
 * `ready` ends once the namespace has our search attributes.
 */
export function openTemporalClient(
  temporal: TemporalSettings,
  log: Logger,
  signal: AbortSignal,
): { client: Client; ready: Promise<void>; close(): Promise<void> } {
  const { address, ...options } = temporal.connection;
  const connection = Connection.lazy({ ...options, address } as Parameters<typeof Connection.lazy>[0]);
  const say = (line: string) => log.warn(line);
  const ready = patiently({ waitMs: Number.POSITIVE_INFINITY, say, signal }, async () => {
    try {
      await prepareNamespace(connection, temporal.namespace, log);
    } catch (error) {
      throw asUnavailable(error, temporal);
    }
  });
  return { client: clientOn(connection, temporal), ready, close: () => connection.close() };
}

export function clientOn(
  connection: ConnectionLike,
  { namespace, encryptionKeys }: Pick<TemporalSettings, 'namespace' | 'encryptionKeys'>,
): Client {
  const interceptors = { workflow: [traceStarts] };
  return new Client({ connection, namespace, dataConverter: encryptedData(encryptionKeys), interceptors });
}

async function prepareNamespace(
  connection: Connection | NativeConnection,
  namespace: string,
  log: Logger,
): Promise<void> {
  await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
    connection.workflowService.describeNamespace({ namespace }),
  );
  await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
    registerSearchAttributes(connection, namespace, log),
  );
}

function asUnavailable(error: unknown, { address, namespace }: TemporalSettings): ReembedError {
  if (error instanceof ReembedError) return error;
  const code = isGrpcServiceError(error) ? error.code : undefined;
  if (code === NOT_FOUND) {
    return new ReembedError(
      'TemporalUnavailable',
      `Temporal at ${address} has no namespace "${namespace}": create it (temporal operator namespace create -n ${namespace}) or set TEMPORAL_NAMESPACE`,
      { cause: error, reason: 'namespace' },
    );
  }
  const reason = code !== undefined && HOPELESS.has(code) ? 'refused' : undefined;
  const words = messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
  // The native core tells the layers of its own code around what the system said.
  const reasonText = /message: "([^"]+)"/.exec(words)?.[1] ?? words.split('\n')[0];
  return new ReembedError('TemporalUnavailable', `Temporal at ${address} does not answer: ${reasonText}`, {
    cause: error,
    reason,
  });
}
