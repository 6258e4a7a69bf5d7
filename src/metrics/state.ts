import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { DEFAULT_QUEUE, embedQueueOf, jobQueueOf } from '../contract/names.ts';
import type { SourceInfo } from '../contract/sources.ts';
import type { Db } from '../store/database.ts';
import { type DatabaseState, readDatabaseState } from '../store/database-metrics.ts';
import type { SourceDatabases } from '../store/sources/databases.ts';
import { readSourceStates } from '../store/sources/info.ts';
import { type ObservedQueue, readTemporalState, type TemporalState } from '../temporal/lists/queue-metrics.ts';
import type { Metrics } from './metrics.ts';
import { createSampler, type Sample } from './sampler.ts';

export interface StateSources {
  db: Db;
  client: Client;
  taskQueue: string;
  /** Job queues besides the default one; the first twenty are shown. */
  jobQueues?: readonly string[] | undefined;
  /** The databases of the tables that sources follow. */
  sourceDatabases: SourceDatabases;
  log: Pick<Logger, 'warn'>;
}

/** Several scrapers, or a frequent one, cost no more than one. */
const MAX_AGE_MS = 5_000;
/** Prometheus gives up after ten seconds. */
const LIMIT_MS = 2_000;
const MAX_JOB_QUEUES = 20;

/**
 * Creates a function that updates the metrics on the state of Postgres and Temporal. If one does not answer in time,
 * its metrics stay empty and `reembed_scrape_error` is 1; the function never fails.
 */
export function createStateMetrics(metrics: Metrics, sources: StateSources): () => Promise<void> {
  const { db, client, taskQueue, log } = sources;
  const queues = observedQueues(sources);
  const sampler = <T>(source: string, read: () => Promise<T>) =>
    createSampler(read, {
      maxAgeMs: MAX_AGE_MS,
      limitMs: LIMIT_MS,
      onError: (err) => log.warn({ err }, `the state of ${source} could not be read for metrics`),
    });
  const database = sampler('postgres', () => readDatabaseState(db));
  const temporal = sampler('temporal', () => readTemporalState(client, { taskQueue, queues }));
  const followed = sampler('sources', () => readSourceStates(db, sources.sourceDatabases));
  return async () => {
    const [inDatabase, inTemporal, inSources] = await Promise.all([database(), temporal(), followed()]);
    tellOutcome(metrics, 'postgres', inDatabase);
    tellOutcome(metrics, 'temporal', inTemporal);
    tellOutcome(metrics, 'sources', inSources);
    setSources(metrics, inSources.value);
    setDatabaseState(metrics, inDatabase.value);
    setTemporalState(metrics, inTemporal.value);
    setRemaining(metrics, inDatabase.value, inTemporal.value);
  };
}

/** Returns the queues whose state is observed: those of tasks, and the first queues of jobs. */
export function observedQueues({
  taskQueue,
  jobQueues = [],
}: Pick<StateSources, 'taskQueue' | 'jobQueues'>): ObservedQueue[] {
  const jobs = [...new Set([DEFAULT_QUEUE, ...jobQueues])].slice(0, MAX_JOB_QUEUES);
  return [
    { name: 'control', taskQueue, kind: 'workflow' },
    { name: 'control', taskQueue, kind: 'activity' },
    { name: 'embed', taskQueue: embedQueueOf(taskQueue), kind: 'activity' },
    ...jobs.map((queue) => ({
      name: `jobs-${queue}`,
      taskQueue: jobQueueOf(taskQueue, queue),
      kind: 'activity' as const,
    })),
  ];
}

function tellOutcome(
  { scrapeError, scrapeSeconds }: Metrics,
  source: string,
  { value, seconds }: Sample<unknown>,
): void {
  scrapeError.set({ source }, value === undefined ? 1 : 0);
  scrapeSeconds.set({ source }, seconds);
}

function setDatabaseState(metrics: Metrics, state: DatabaseState | undefined): void {
  const { lockAge, lockExpiry, lockDraining, tombstones } = metrics;
  for (const gauge of [lockAge, lockExpiry, lockDraining]) gauge.reset();
  tombstones.remove();
  if (!state) return;
  for (const { source, dest, mirror, draining, ageSeconds, expiresInSeconds } of state.locks) {
    const labels = { source, dest, kind: mirror ? 'mirror' : 'reindex' };
    lockAge.set(labels, ageSeconds);
    lockExpiry.set(labels, expiresInSeconds);
    lockDraining.set({ source, dest }, draining ? 1 : 0);
  }
  tombstones.set(state.tombstones);
}

function setTemporalState(metrics: Metrics, state: TemporalState | undefined): void {
  const { openTasks, queueBacklog, queueBacklogAge, queuePollers, schedules, schedulesMissed, schedulesLate } = metrics;
  for (const gauge of [openTasks, queueBacklog, queueBacklogAge, queuePollers, schedules]) gauge.reset();
  schedulesMissed.remove();
  schedulesLate.remove();
  if (!state) return;
  for (const { type, status, count } of state.openTasks) openTasks.set({ type, status }, count);
  for (const { queue, kind, backlog, backlogAgeSeconds, pollers } of state.queues) {
    queueBacklog.set({ queue, kind }, backlog);
    queueBacklogAge.set({ queue, kind }, backlogAgeSeconds);
    queuePollers.set({ queue, kind }, pollers);
  }
  schedules.set({ state: 'active' }, state.schedules.active);
  schedules.set({ state: 'paused' }, state.schedules.paused);
  schedulesMissed.set(state.schedules.missed);
  schedulesLate.set(state.schedules.lateSeconds);
}

function setSources(metrics: Metrics, states: SourceInfo[] | undefined): void {
  const { sourceBacklog, sourceBacklogAge, sourceState } = metrics;
  for (const gauge of [sourceBacklog, sourceBacklogAge, sourceState]) gauge.reset();
  for (const { name: source, state, backlog } of states ?? []) {
    sourceState.set({ source, state }, 1);
    if (!backlog) continue;
    sourceBacklog.set({ source }, backlog.changes);
    sourceBacklogAge.set({ source }, backlog.seconds ?? 0);
  }
}

/** Combines the lock, which knows the indexes of a reindex, with its task, which knows the progress. */
function setRemaining({ reindexRemaining }: Metrics, database?: DatabaseState, temporal?: TemporalState): void {
  reindexRemaining.reset();
  const progress = new Map(temporal?.reindexes.map((row) => [row.id, row.progress]));
  for (const { taskId, source, dest, mirror } of database?.locks ?? []) {
    const { total = 0, done = 0 } = progress.get(taskId) ?? {};
    if (!mirror && total > 0) reindexRemaining.set({ source, dest }, Math.max(0, total - done));
  }
}
