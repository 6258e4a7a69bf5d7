import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { quantile } from 'simple-statistics';
import type { ReembedClient } from '../src/client/client.ts';
import type { Db } from '../src/store/database.ts';
import { tablesOf } from '../src/store/partitions.ts';
import type { IndexRow } from '../src/store/schema.ts';
import type { Figures, Metric } from './harness.ts';

export const LIVE_METRICS = [
  { name: 'write, p50', unit: 'ms', better: 'lower' },
  { name: 'write, p95', unit: 'ms', better: 'lower' },
  { name: 'accepted to searchable, p50', unit: 'ms', better: 'lower' },
  { name: 'accepted to searchable, p95', unit: 'ms', better: 'lower' },
  { name: 'search, p50', unit: 'ms', better: 'lower' },
  { name: 'search, p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
export type LiveName = (typeof LIVE_METRICS)[number]['name'];

/** The processes of a system with live work. */
export const LIVE_COMMANDS = {
  api: ['api'],
  control: ['worker', '--role', 'control'],
  embed: ['worker', '--role', 'embed'],
};

export interface LivePlace {
  reembed: ReembedClient;
  db: Db;
  /** The serving index. */
  source: IndexRow;
}

/** Pause between writes and between searches, so that their number does not depend on how fast they are answered. */
const PAUSE_MS = 50;
const POLL_MS = 5;
export const SEARCH = { text: 'some words about nothing', limit: 10 } as const;

/** Returns whether `forMs` milliseconds have not passed yet. */
export function whileMs(forMs: number): () => boolean {
  const endMs = performance.now() + forMs;
  return () => performance.now() < endMs;
}

/** One writer of single objects and one searcher, as long as `goesOn`. */
export async function liveLoad({ reembed, db, source }: LivePlace, goesOn: () => boolean): Promise<Figures<LiveName>> {
  const index = source.name;
  const took = { write: [] as number[], searchable: [] as number[], search: [] as number[] };
  const write = async () => {
    while (goesOn()) {
      const id = randomUUID();
      const startMs = performance.now();
      await reembed.tasks.upsert({ index, items: [{ id, payload: `${id} some words` }] });
      const acceptedMs = performance.now();
      while (!(await isThere(db, source, id))) await sleep(POLL_MS);
      const thereMs = performance.now();
      took.write.push(thereMs - startMs);
      took.searchable.push(thereMs - acceptedMs);
      await sleep(PAUSE_MS);
    }
  };
  const search = async () => {
    while (goesOn()) {
      const startMs = performance.now();
      await reembed.search(index, SEARCH);
      took.search.push(performance.now() - startMs);
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all([write(), search()]);
  return {
    'write, p50': quantile(took.write, 0.5),
    'write, p95': quantile(took.write, 0.95),
    'accepted to searchable, p50': quantile(took.searchable, 0.5),
    'accepted to searchable, p95': quantile(took.searchable, 0.95),
    'search, p50': quantile(took.search, 0.5),
    'search, p95': quantile(took.search, 0.95),
  };
}

/**
 * Whether an object is stored; its parts are written at the same time, so a search would find it. Queries Postgres
 * directly, since polling this often over HTTP would be most of the load.
 */
async function isThere(db: Db, index: IndexRow, id: string): Promise<boolean> {
  const { rows } =
    await sql`select from ${tablesOf(index.no).objects} where index_no = ${index.no} and object_id = ${id}`.execute(db);
  return rows.length > 0;
}
