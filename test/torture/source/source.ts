import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { createClient } from '../../../src/client/client.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { startFollowing, startSync } from '../../../src/temporal/sources.ts';
import { type GivenSource, givenSource, objectsOf, untilBrought } from '../../workflows/sources/world.ts';
import { Random } from '../random.ts';
import { type Piece, System } from '../system.ts';
import { createTables, DEFINITION, expectedOf } from './tables.ts';
import { runWriter } from './writers.ts';

export interface SourceTortureOptions {
  seconds: number;
  seed: number;
  /** Number of writers. */
  clients?: number;
  say: (line: string) => void;
  signal?: AbortSignal;
}

export interface SourceTortureResult {
  ok: boolean;
  seed: number;
  seconds: number;
  /** Committed transactions, by kind. */
  transactions: Record<string, number>;
  kills: number;
  reindexes: number;
  rows: number;
  /** Objects that differ from their table, or that it does not have, and rows without an object. */
  differences: string[];
  problems: string[];
}

const QUEUE = 'reembed';

/**
 * Follows a plain and a partitioned table while writers run random DML, processes are killed and the indexes are rebuilt
 * back and forth; then waits until all changes were synced, and compares tables and indexes. Nothing is repaired.
 */
export async function sourceTorture(options: SourceTortureOptions): Promise<SourceTortureResult> {
  const startMs = Date.now();
  const say = (line: string) => options.say(`${((Date.now() - startMs) / 1_000).toFixed(1).padStart(6)} ${line}`);
  const system = new System(say);
  let keepFolder = true;
  try {
    await system.start();
    const result = await run(system, options, say);
    keepFolder = !result.ok;
    return result;
  } finally {
    if (keepFolder) say(`logs and data are in ${system.folder}`);
    await system.stop({ keepFolder });
  }
}

async function run(
  system: System,
  options: SourceTortureOptions,
  say: (line: string) => void,
): Promise<SourceTortureResult> {
  const { seconds, seed, clients = 8 } = options;
  const random = new Random(seed);
  const api = createClient({ baseUrl: system.apiUrl });
  const db = openDatabase({ url: system.databaseUrl, onIdleError: () => {} });
  const connection = Connection.lazy({ address: system.temporalAddress });
  const client = new Client({ connection });
  const running = new AbortController();
  const signal = AbortSignal.any([running.signal, ...(options.signal ? [options.signal] : [])]);
  const problems: string[] = [];
  try {
    const { plain, partitioned, written } = await createTables(db);
    const followed: { table: string; alias: string; source: GivenSource }[] = [];
    for (const table of [plain, partitioned]) {
      await api.indexes.create(`${table}-0`, { model: { provider: 'hash', dimensions: 32 } });
      await api.aliases.set(table, `${table}-0`);
      const source = await givenSource(db, `follow-${table}`, { index: table, table, ...DEFINITION });
      await startFollowing(client, { ...source, taskQueue: QUEUE });
      followed.push({ table, alias: table, source });
    }
    say(`${followed.length} tables are followed`);
    const writers = Array.from({ length: clients }, (_, at) =>
      runWriter(
        () => system.databaseUrl,
        written[at % written.length] as string[],
        random.fork(`writer ${at}`),
        signal,
      ),
    );
    const reindexing = followed.map(({ alias }) => runReindexes(api, alias, signal, say, problems));
    const chaos = runKills(system, random.fork('kills'), seconds, say, signal);
    await sleep(seconds * 300, undefined, { signal }).catch(() => {});
    // A sync beside the followers, which is killed with its worker.
    const syncs = await Promise.all(
      followed.map(({ source }) => insist(() => startSync(client, { ...source, taskQueue: QUEUE }))),
    );
    await sleep(seconds * 700, undefined, { signal }).catch(() => {});
    running.abort();
    say('the time is over: waiting until all is calm');
    const counts = await Promise.all(writers);
    const kills = await chaos;
    await system.untilReady();
    const reindexes = (await Promise.all(reindexing)).reduce((sum, count) => sum + count, 0);
    for (const id of syncs) {
      const { status, detail } = await endOf(api, id);
      say(`${id}: ${status} ${detail}`);
      if (status !== 'done') problems.push(`${id} ended as ${status}: ${detail}`);
    }
    const differences: string[] = [];
    let rows = 0;
    for (const { table, alias, source } of followed) {
      await untilBrought(db, source);
      const [objects, expected] = [await objectsOf(db, alias), await expectedOf(db, table)];
      rows += expected.length;
      differences.push(...differencesOf(table, objects, expected));
    }
    const ok = differences.length + problems.length === 0;
    const transactions = sumOf(counts);
    return { ok, seed, seconds, transactions, kills, reindexes, rows, differences: differences.slice(0, 50), problems };
  } finally {
    running.abort();
    await db.destroy();
    await connection.close();
  }
}

/** Rebuilds the index of an alias into another one, and back, until the signal aborts; returns how often. */
async function runReindexes(
  api: ReturnType<typeof createClient>,
  alias: string,
  signal: AbortSignal,
  say: (line: string) => void,
  problems: string[],
): Promise<number> {
  let done = 0;
  for (let round = 1; !signal.aborted; round++) {
    const taskId = `${alias}-reindex-${round}`;
    const dest = `${alias}-${round % 3}`;
    const body = {
      taskId,
      source: alias,
      dest,
      destModel: { provider: 'hash' as const, dimensions: 16 + (round % 3) * 16 },
    };
    await insist(() => api.tasks.reindex(body));
    const { status, detail } = await endOf(api, taskId);
    if (status === 'done') done++;
    say(`${taskId}: ${status} ${detail}`);
    if (status === 'refused') problems.push(`${taskId}: ${detail}`);
    await sleep(1_000, undefined, { signal }).catch(() => {});
  }
  return done;
}

/** Waits for the end of a task. A failed one may try again. */
async function endOf(api: ReturnType<typeof createClient>, taskId: string) {
  for (;;) {
    const tracker = await insist(() => api.tasks.info(taskId));
    const isOver = ['done', 'exhausted', 'refused', 'canceled'].includes(tracker.status);
    if (isOver || (tracker.status === 'failed' && !tracker.detail.includes('again in'))) return tracker;
    await sleep(250);
  }
}

/** Repeats a call while servers are away. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (const endMs = Date.now() + 120_000; ; await sleep(300)) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > endMs) throw error;
    }
  }
}

/** Kills workers, Postgres and Temporal; returns how often. */
async function runKills(
  system: System,
  random: Random,
  seconds: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  let kills = 0;
  const endMs = Date.now() + seconds * 900;
  const last: Piece[] = ['postgres', 'worker 1', 'temporal', 'worker 2', 'postgres'];
  for (;;) {
    await sleep(random.between(3_000, 9_000), undefined, { signal }).catch(() => {});
    if (signal.aborted || Date.now() > endMs) return kills;
    const piece = last.pop() ?? random.pick<Piece>(['worker 1', 'worker 2', 'worker 1', 'worker 2', 'postgres']);
    const awayMs = random.between(0, 3_000);
    say(`kill ${piece}, away for ${Math.round(awayMs)} ms`);
    await system.restart(piece, 'kill', awayMs);
    kills++;
  }
}

function differencesOf(table: string, objects: readonly string[], expected: readonly string[]): string[] {
  const [have, want] = [new Set(objects), new Set(expected)];
  return [
    ...expected.filter((row) => !have.has(row)).map((row) => `${table} has and its index has not: ${row}`),
    ...objects.filter((row) => !want.has(row)).map((row) => `the index of ${table} has and it has not: ${row}`),
  ];
}

function sumOf(counts: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of counts) for (const [kind, count] of Object.entries(one)) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}
