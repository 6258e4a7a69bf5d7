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

/** A database beside the main one. */
interface OtherDatabase {
  name: string;
  db: Db;
  taskQueue: string;
  sourceDatabases: SourceDatabases;
}

export interface StateSources {
  db: Db;
  client: Client;
  taskQueue: string;
  /** Job queues besides the default one; the first twenty are shown. */
  jobQueues?: readonly string[] | undefined;
  /** The databases of the tables that sources follow. */
  sourceDatabases: SourceDatabases;
  /** The databases beside the main one. */
  others?: readonly OtherDatabase[];
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
  const { db, client, taskQueue, log, others = [] } = sources;
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
  const inOthers = others.map((other) => ({
    name: `postgres-${other.name}`,
    database: sampler(`postgres-${other.name}`, () => readDatabaseState(other.db)),
    followed: sampler(`sources of ${other.name}`, () => readSourceStates(other.db, other.sourceDatabases)),
  }));
  return async () => {
    const [inDatabase, inTemporal, inSources] = await Promise.all([database(), temporal(), followed()]);
    tellOutcome(metrics, 'postgres', inDatabase);
    tellOutcome(metrics, 'temporal', inTemporal);
    tellOutcome(metrics, 'sources', inSources);
    const states = [inDatabase.value];
    const allSources = [...(inSources.value ?? [])];
    for (const other of inOthers) {
      const [state, theirSources] = await Promise.all([other.database(), other.followed()]);
      tellOutcome(metrics, other.name, state);
      states.push(state.value);
      allSources.push(...(theirSources.value ?? []));
    }
    const state = together(states);
    setSources(metrics, allSources);
    setDatabaseState(metrics, state);
    setTemporalState(metrics, inTemporal.value);
    setRemaining(metrics, state, inTemporal.value);
  };
}

/** Adds up the states of the databases that answer; undefined if none does. */
function together(states: readonly (DatabaseState | undefined)[]): DatabaseState | undefined {
  const known = states.filter((state) => state !== undefined);
  if (known.length === 0) return undefined;
  return {
    locks: known.flatMap(({ locks }) => locks),
    tombstones: known.reduce((sum, { tombstones }) => sum + tombstones, 0),
  };
}

/** Returns the queues whose state is observed: those of tasks, and the first queues of jobs. */
export function observedQueues({
  taskQueue,
  jobQueues = [],
  others = [],
}: Pick<StateSources, 'taskQueue' | 'jobQueues'> & {
  others?: readonly Pick<OtherDatabase, 'name' | 'taskQueue'>[];
}): ObservedQueue[] {
  const jobs = [...new Set([DEFAULT_QUEUE, ...jobQueues])].slice(0, MAX_JOB_QUEUES);
  return [
    ...queuesOfTasks(taskQueue, ''),
    ...others.flatMap((other) => queuesOfTasks(other.taskQueue, `-at-${other.name}`)),
    ...jobs.map((queue) => ({
      name: `jobs-${queue}`,
      taskQueue: jobQueueOf(taskQueue, queue),
      kind: 'activity' as const,
    })),
  ];
}

function queuesOfTasks(taskQueue: string, suffix: string): ObservedQueue[] {
  return [
    { name: `control${suffix}`, taskQueue, kind: 'workflow' },
    { name: `control${suffix}`, taskQueue, kind: 'activity' },
    { name: `embed${suffix}`, taskQueue: embedQueueOf(taskQueue), kind: 'activity' },
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
