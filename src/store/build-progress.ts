import { sql } from 'kysely';
import type { Db } from './database.ts';

/** Progress of the statement that builds an index. */
export interface BuildProgress {
  /** As Postgres names it. */
  phase: string;
  /** Share of the phase that is done, 0 to 1; null if Postgres does not count in it. */
  share: number | null;
  /** Time in this phase, in milliseconds. */
  phaseMs: number;
}

const FIRST_MS = 3_000;
/** Time between two reports: it grows with the build, so that a long one has few. */
const BETWEEN = { min: 10_000, share: 0.02 } as const;

/**
 * Reports the progress of the build that a session runs, until the returned function is called. With a pool of one
 * connection there is no report.
 */
export function watchBuild(db: Db, pid: number, onProgress: (progress: BuildProgress) => void): () => void {
  const startMs = performance.now();
  let phase: { name: string; sinceMs: number } | undefined;
  let isOver = false;
  let timer: NodeJS.Timeout;
  const look = async () => {
    const found = await readProgress(db, pid).catch(() => undefined);
    if (isOver) return;
    const nowMs = performance.now();
    if (found) {
      if (phase?.name !== found.phase) phase = { name: found.phase, sinceMs: phase ? nowMs : startMs };
      onProgress({ ...found, phaseMs: nowMs - phase.sinceMs });
    }
    schedule(Math.max(BETWEEN.min, BETWEEN.share * (nowMs - startMs)));
  };
  const schedule = (ms: number) => {
    timer = setTimeout(() => void look(), ms);
    timer.unref();
  };
  schedule(FIRST_MS);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** Reads the progress of the build that a session runs; undefined if it runs none. */
export async function readProgress(db: Db, pid: number): Promise<Omit<BuildProgress, 'phaseMs'> | undefined> {
  const { rows } = await sql<{ phase: string; share: number | null }>`
    select phase,
      case
        when blocks_total > 0 then least(1, blocks_done::float8 / blocks_total)
        when tuples_total > 0 then least(1, tuples_done::float8 / tuples_total)
      end as share
    from pg_stat_progress_create_index
    where pid = ${pid} and datname = current_database()`.execute(db);
  return rows[0];
}
