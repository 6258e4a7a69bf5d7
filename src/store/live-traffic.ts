import { sql } from 'kysely';
import { type Db, LIVE } from './database.ts';

/**
 * Whether any process has searched, read or written within the last `withinMs`, except in the background. Reads
 * `pg_stat_activity`, where a role sees its own connections.
 */
export async function hasLiveWork(db: Db, withinMs: number): Promise<boolean> {
  const { rows } = await sql<{ live: boolean }>`
    select exists (
      select from pg_stat_activity
      where datname = current_database()
        and application_name = ${LIVE}
        and (state <> 'idle' or state_change > clock_timestamp() - ${withinMs} * interval '1 ms')
    ) as live`.execute(db);
  return rows[0]?.live === true;
}
