import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { type ReindexTimes, reindexTimes } from '../../bench/reindex-times.ts';
import { createClient } from '../../src/client/client.ts';
import { maintenanceScheduleId } from '../../src/runtime/maintenance-schedule.ts';
import { CallLog, insist } from '../torture/accept.ts';
import { check } from '../torture/check.ts';
import { ALIAS, type ClientContext, runClient, send } from '../torture/clients.ts';
import { corpus } from '../torture/content.ts';
import { Oracle } from '../torture/oracle.ts';
import { Random } from '../torture/random.ts';
import { Reindexer } from '../torture/reindexer.ts';
import { settle } from '../torture/settle.ts';
import { System, type WorkerPiece } from '../torture/system.ts';
import { makeDatabase } from './database.ts';
import { problemsOfJobs, sendJobs } from './jobs.ts';
import { problemsOfLists } from './lists.ts';

export interface ClusterOptions {
  temporalAddress: string;
  namespace: string;
  /** Address of a server on which a database may be created; default: a new Postgres. */
  databaseUrl?: string | undefined;
  /** Address of a pooler before that server, which assigns a connection per transaction. */
  poolerUrl?: string | undefined;
  objects: number;
  /** The rate of the reindex, so that it lasts while workers are killed. */
  ratePerSecond: number;
  clients: number;
  seed: number;
  say: (line: string) => void;
}

export interface ClusterResult extends ReindexTimes {
  objects: number;
  writes: number;
  jobs: number;
  killed: WorkerPiece[];
  /** Calls that had to be repeated, by error. */
  repeated: Record<string, number>;
  problems: string[];
}

const WORKERS: readonly WorkerPiece[] = ['control 1', 'control 2', 'embed 1', 'embed 2', 'jobs 1', 'jobs 2'];
/** The share of the copy at which one worker of each role is killed. */
const KILLS: readonly [number, WorkerPiece][] = [
  [0.15, 'embed 1'],
  [0.35, 'control 1'],
  [0.55, 'jobs 1'],
];
const PAUSE_SHARE = 0.75;
const AWAY_MS = 2_000;
const SETTLE_MS = 150_000;

/** A reindex under live writes, with two workers of each role, one of which is killed; then steering and lists. */
export async function runCluster(options: ClusterOptions): Promise<ClusterResult> {
  const startMs = Date.now();
  const say = (line: string) => options.say(`${((Date.now() - startMs) / 1_000).toFixed(1).padStart(6)} ${line}`);
  // The server outlives the run: ids and the task queue must differ from those of other runs.
  const run = `cluster-${startMs.toString(36)}`;
  const { temporalAddress, namespace } = options;
  const database = options.databaseUrl
    ? await makeDatabase(options.databaseUrl, run.replace('-', '_'), options.poolerUrl)
    : undefined;
  const system = new System(say, {
    workers: WORKERS,
    tasksFile: fileURLToPath(new URL('tasks.mjs', import.meta.url)),
    outside: { temporalAddress, databaseUrl: database?.url, pooledUrl: database?.pooledUrl },
    env: { TEMPORAL_NAMESPACE: namespace, REEMBED_TASK_QUEUE: run },
  });
  const connection = Connection.lazy({ address: temporalAddress });
  const temporal = new Client({ connection, namespace });
  let keepFolder = true;
  try {
    await system.start();
    const result = await drive(system, temporal, run, { ...options, say });
    keepFolder = result.problems.length > 0;
    return result;
  } finally {
    if (keepFolder) say(`logs are in ${system.folder}`);
    await system.stop({ keepFolder });
    await temporal.schedule
      .getHandle(maintenanceScheduleId(run))
      .delete()
      .catch(() => {});
    await connection.close();
    await database?.drop();
  }
}

async function drive(system: System, temporal: Client, run: string, options: ClusterOptions): Promise<ClusterResult> {
  const { objects, ratePerSecond, seed, say } = options;
  const random = new Random(seed);
  const api = createClient({ baseUrl: system.apiUrl });
  const [log, oracle, running] = [new CallLog(), new Oracle(), new AbortController()];
  const context: ClientContext = { api, oracle, log, run, objects, signal: running.signal };
  const reindexer = new Reindexer({ api, log, run, temporal: () => temporal, say });
  const createdAfter = new Date(Date.now() - 1_000);

  await api.indexes.create('i0', { model: { provider: 'hash', dimensions: 32 } });
  await api.aliases.set(ALIAS, 'i0');
  const items = [...corpus(random.fork('corpus'), objects)];
  await send(context, { taskId: `${run}-corpus`, client: 'corpus', kind: 'upsert', items, form: 'lines' }, true);
  say(`${objects} objects are there`);

  const writing = Array.from({ length: options.clients }, (_, at) =>
    runClient(context, `c${at}`, random.fork(`client ${at}`)),
  );
  const jobs = sendJobs(api, log, run, running.signal);
  const rebuild = `${run}-rebuild`;
  const again = `${run}-again`;
  const share = async (taskId: string) => {
    const { progress, status } = await insist(log, taskId, () => api.tasks.info(taskId));
    if (status === 'failed' || status === 'exhausted') throw new Error(`${taskId} is ${status}`);
    return status === 'done' ? 1 : progress.done / Math.max(1, progress.total);
  };
  const untilShare = async (taskId: string, least: number) => {
    while ((await share(taskId)) < least) await sleep(100);
  };
  const problems: string[] = [];
  const killed: WorkerPiece[] = [];
  const expectStatus = (what: string, status: string, wanted: string) => {
    say(`${what}: ${status}`);
    if (status !== wanted) problems.push(`${what}: ${status} instead of ${wanted}`);
  };
  try {
    const to = (dimensions: number) => ({
      source: ALIAS,
      destModel: { provider: 'hash' as const, dimensions },
      ratePerSecond,
      concurrency: 16, // several slices, so that both embed workers have some
      lockSeconds: 30,
    });
    await api.tasks.reindex({ taskId: rebuild, dest: 'i1', ...to(48) });
    for (const [least, piece] of KILLS) {
      await untilShare(rebuild, least);
      say(`kill ${piece} at ${((await share(rebuild)) * 100).toFixed()} %`);
      await system.restart(piece, 'kill', AWAY_MS);
      killed.push(piece);
    }
    await untilShare(rebuild, PAUSE_SHARE);
    await insist(log, 'pause', () => api.tasks.pause(rebuild));
    for (const endMs = Date.now() + 90_000; Date.now() < endMs; await sleep(200)) {
      if ((await api.tasks.info(rebuild)).status === 'paused') break;
    }
    expectStatus('paused', (await api.tasks.info(rebuild)).status, 'paused');
    await insist(log, 'resume', () => api.tasks.resume(rebuild));
    expectStatus('the reindex', (await reindexer.endOf(rebuild)).status, 'done');

    await api.tasks.reindex({ taskId: again, dest: 'i2', ...to(32) });
    await untilShare(again, 0.1);
    await insist(log, 'cancel', () => api.tasks.cancel(again));
    expectStatus('canceled', (await reindexer.endOf(again)).status, 'canceled');
    const filter = {
      types: ['reindex' as const],
      statuses: ['canceled' as const],
      createdAfter: createdAfter.toISOString(),
    };
    // The task that steers finds the canceled one by a list, which is eventually consistent.
    await sleep(3_000);
    const steered = await api.tasks.steerAll({ taskId: `${run}-steer`, action: 'restart', filter }, { wait: true });
    expectStatus('restarted by a filter', String(steered.progress.done), '1');
    await insist(log, 'throttle', () => api.tasks.throttle(again, null));
    expectStatus('the restarted reindex', (await reindexer.endOf(again)).status, 'done');
  } finally {
    running.abort();
    await Promise.all(writing);
  }
  const jobIds = await jobs;
  problems.push(...(await settle(api, log, oracle.writes, SETTLE_MS)));
  problems.push(...(await problemsOfJobs(reindexer, jobIds)));
  say(`${oracle.writes.length} writes and ${jobIds.length} jobs have ended`);

  const writes = (kind: string) => oracle.writes.filter((write) => write.kind === kind).map(({ taskId }) => taskId);
  const lists = [
    { name: 'upserts', filter: { type: 'upsert' as const, createdAfter }, ids: writes('upsert') },
    {
      name: 'deletes that are done',
      filter: { type: 'delete' as const, status: 'done' as const, createdAfter },
      ids: writes('delete'),
    },
    { name: 'jobs', filter: { type: 'job' as const, createdAfter }, ids: jobIds },
    { name: 'reindexes into i2', filter: { type: 'reindex' as const, index: 'i2', createdAfter }, ids: [again] },
  ];
  problems.push(...(await problemsOfLists(api, log, lists)));
  say('the lists are read');

  const db = new pg.Pool({ connectionString: system.databaseUrl, max: 2 });
  try {
    const { findings, objects: served } = await check(api, log, db, oracle.expected(), system.provider.vectorOf);
    for (const [kind, found] of Object.entries(findings)) {
      if (found.length > 0) problems.push(`${kind}: ${found.length}, for instance ${found.slice(0, 3).join(', ')}`);
    }
    problems.push(...log.violations, ...system.deaths);
    const times = await reindexTimes(temporal, rebuild);
    return {
      objects: served,
      writes: oracle.writes.length,
      jobs: jobIds.length,
      killed,
      ...times,
      repeated: log.transient,
      problems,
    };
  } finally {
    await db.end();
  }
}
