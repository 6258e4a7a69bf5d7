import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { type Db, openDatabase } from '../../src/store/database.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { buildVectorIndex, vectorIndexName } from '../../src/store/vector-index.ts';
import { walOf } from './disk.ts';

/** More than any graph that is measured. */
const MEMORY_MB = 1_000;
const SAMPLE_MS = 2;

export interface Build {
  seconds: number;
  /** Peak of the memory that the building process alone has, in bytes. */
  memory: number;
  wal: number;
}

/** Builds the HNSW index of an index again, in one new process. Linux reports the memory of that process. */
export async function measureBuild(url: string, index: IndexRow): Promise<Build> {
  // The session of earlier work has memory of its own.
  const db = openDatabase({ url, maxConnections: 2 });
  try {
    return await buildAnew(db, index);
  } finally {
    await db.destroy();
  }
}

async function buildAnew(db: Db, index: IndexRow): Promise<Build> {
  await sql`drop index if exists ${sql.id('reembed', vectorIndexName(index.no))}`.execute(db);
  let seconds = 0;
  let memory = 0;
  let sampling = true;
  const sample = async () => {
    let pid: number | undefined;
    for (; sampling; await new Promise((go) => setTimeout(go, SAMPLE_MS))) {
      pid ??= (await sql<{ pid: number }>`select pid from pg_stat_progress_create_index`.execute(db)).rows[0]?.pid;
      if (pid !== undefined) memory = Math.max(memory, ownMemory(pid));
    }
  };
  const sampled = sample();
  const onBuilt = (ms: number) => {
    seconds = ms / 1_000;
  };
  let wal: number;
  try {
    wal = await walOf(db, () => buildVectorIndex(db, index, { memoryMb: MEMORY_MB, oneProcess: true, onBuilt }));
  } finally {
    sampling = false;
    await sampled;
  }
  if (memory === 0)
    throw new Error('the memory of the build cannot be read: it was too short, or Postgres runs elsewhere');
  return { seconds, memory, wal };
}

/** Bytes of a process that it shares with nobody; 0 if it is gone. */
function ownMemory(pid: number): number {
  try {
    const [, kib] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
