import type { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { messageOf, ReembedError } from '../contract/errors.ts';
import type { TemporalSettings } from '../settings/temporal.ts';
import { GRPC, grpcCodeOf } from '../temporal/call.ts';
import { createTemporalClient, openLazyConnection } from '../temporal/connect.ts';
import { WORKER_HEARTBEAT_MS } from '../temporal/worker-presence.ts';
import { retryUntil, type WaitOptions } from './retry-until.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { temporalLogger } from './temporal-log.ts';

const CALL_TIMEOUT_MS = 5_000;
/** gRPC codes of errors that waiting does not fix. */
const HOPELESS: readonly number[] = [GRPC.invalidArgument, GRPC.permissionDenied, GRPC.unauthenticated];

/** Prometheus conventions: units in the names, durations in seconds. */
const METRIC_NAMES = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };

let runtimeInstalled = false;

/**
 * Connects Temporal's core to our log, once per process and before the first connection; leaves signals to us. With an
 * address, the core serves its own metrics there.
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
    workerHeartbeatInterval: WORKER_HEARTBEAT_MS,
    // By default, every worker stops at the signal, even if other steps must come first.
    shutdownSignals: [],
  });
}

/**
 * Connects workers to the Temporal server, and ensures that the namespace exists and has our search attributes. Waits
 * for a server that does not answer yet.
 * @throws ReembedError `TemporalUnavailable` with the address and the problem.
 */
export async function connectTemporal(
  temporal: TemporalSettings,
  log: Logger,
  wait: WaitOptions,
): Promise<NativeConnection> {
  installTemporalRuntime(log);
  return await retryUntil(wait, async () => {
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
 * Creates a client for the API, which starts and serves searches even if Temporal is unavailable: it connects at the
 * first call, and `ready` resolves once the namespace has our search attributes.
 */
export function openTemporalClient(
  temporal: TemporalSettings,
  log: Logger,
  signal: AbortSignal,
): { client: Client; ready: Promise<void>; close(): Promise<void> } {
  const connection = openLazyConnection(temporal.connection);
  const say = (line: string) => log.warn(line);
  const ready = retryUntil({ waitMs: Number.POSITIVE_INFINITY, say, signal }, async () => {
    try {
      await prepareNamespace(connection, temporal.namespace, log);
    } catch (error) {
      throw asUnavailable(error, temporal);
    }
  });
  return { client: createTemporalClient(connection, temporal), ready, close: () => connection.close() };
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
  const code = grpcCodeOf(error);
  if (code === GRPC.notFound) {
    return new ReembedError(
      'TemporalUnavailable',
      `Temporal at ${address} has no namespace "${namespace}": create it (temporal operator namespace create -n ${namespace}) or set TEMPORAL_NAMESPACE`,
      { cause: error, reason: 'namespace' },
    );
  }
  const reason = code !== undefined && HOPELESS.includes(code) ? 'refused' : undefined;
  const words = messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
  // The native core wraps the system's message in those of its own layers.
  const reasonText = /message: "([^"]+)"/.exec(words)?.[1] ?? words.split('\n')[0];
  return new ReembedError('TemporalUnavailable', `Temporal at ${address} does not answer: ${reasonText}`, {
    cause: error,
    reason,
  });
}
