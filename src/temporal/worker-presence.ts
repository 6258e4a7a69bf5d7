import type { Client } from '@temporalio/client';
import { callTemporal, GRPC, grpcCodeOf } from './call.ts';

/** How often a worker process tells Temporal that it lives. */
export const WORKER_HEARTBEAT_MS = 2_000;
/** A worker that has missed so many heartbeats is gone. */
const MISSED = 3;
/** For a worker whose interval is not known yet: the longest one is a minute. */
const UNKNOWN_INTERVAL_MS = 50_000;
const RUNNING = 1;
/** Max. workers that are read; beyond it, only those that poll are counted. */
const PAGE = 1_000;

/** gRPC codes of servers that have no heartbeats, or do not list them for us. */
const UNSUPPORTED: readonly number[] = [GRPC.unimplemented, GRPC.permissionDenied, GRPC.invalidArgument];

interface Seen {
  heartbeat: number;
  /** By our own clock, since that of the worker may differ. */
  atMs: number;
  intervalMs: number;
}

/** Workers of a task queue, by their heartbeats. */
export interface Presence {
  running: number;
  /** Identities of those that have stopped: Temporal lists their polls for minutes. */
  gone: ReadonlySet<string>;
}

/**
 * Counts the workers of task queues by the heartbeats that they send to Temporal. Polls show a worker for minutes after
 * it has stopped; heartbeats end within seconds, and a worker that is stopped in order says so.
 */
export class WorkerPresence {
  private readonly seen = new Map<string, Seen>();

  /** Returns the workers by task queue; empty if the server keeps no heartbeats. Error: `TemporalUnavailable`. */
  async read(client: Client, nowMs = Date.now()): Promise<Map<string, Presence>> {
    const { namespace } = client.options;
    const list = () => client.workflowService.listWorkers({ namespace, pageSize: PAGE });
    const workersInfo = await callTemporal(client, '', list).then(
      (answer) => answer.workersInfo ?? [],
      (error: unknown) => {
        if (UNSUPPORTED.includes(grpcCodeOf(error) ?? -1)) return [];
        throw error;
      },
    );
    const queues = new Map<string, { running: number; gone: Set<string> }>();
    const listed = new Set<string>();
    for (const { workerHeartbeat } of workersInfo) {
      const { workerInstanceKey: key, taskQueue, workerIdentity } = workerHeartbeat ?? {};
      if (!workerHeartbeat || !key || !taskQueue) continue;
      listed.add(key);
      const queue = queues.get(taskQueue) ?? { running: 0, gone: new Set<string>() };
      queues.set(taskQueue, queue);
      const seen = this.note(
        key,
        msOf(workerHeartbeat.heartbeatTime),
        msOf(workerHeartbeat.elapsedSinceLastHeartbeat),
        nowMs,
      );
      const isFresh = nowMs - seen.atMs <= MISSED * seen.intervalMs;
      if (workerHeartbeat.status === RUNNING && isFresh) queue.running++;
      else queue.gone.add(workerIdentity ?? '');
    }
    for (const key of this.seen.keys()) if (!listed.has(key)) this.seen.delete(key);
    return queues;
  }

  private note(key: string, heartbeat: number, elapsedMs: number, nowMs: number): Seen {
    const before = this.seen.get(key);
    if (before?.heartbeat === heartbeat) return before;
    const intervalMs = elapsedMs > 0 ? Math.max(WORKER_HEARTBEAT_MS, elapsedMs) : UNKNOWN_INTERVAL_MS;
    const now = { heartbeat, atMs: nowMs, intervalMs };
    this.seen.set(key, now);
    return now;
  }
}

function msOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1_000 + Math.round((time?.nanos ?? 0) / 1e6);
}
