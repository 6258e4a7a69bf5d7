import { type Kysely, sql } from 'kysely';
import { GATE_CLASSES } from './advisory-classes.ts';
import type { Database } from './schema.ts';

/**
 * Terminates the product's own sessions that hold a gate, are in a transaction, and have waited for their process for
 * too long. Such a process froze between two statements or in the middle of one, which no time limit of Postgres before
 * version 17 covers. Returns the number of terminated sessions.
 */
export async function endFrozen(
  db: Kysely<Database>,
  applications: readonly string[],
  idleMs: number,
): Promise<number> {
  const { rows } = await sql`
    select pg_terminate_backend(a.pid)
    from pg_stat_activity a
    where a.datname = current_database()
      and a.usename = current_user
      and a.application_name = any(${applications}::text[])
      and a.pid <> pg_backend_pid()
      and a.xact_start is not null
      and a.wait_event_type = 'Client'
      and a.state_change < clock_timestamp() - ${idleMs} * interval '1 ms'
      and exists (
        select
        from pg_locks l
        where l.pid = a.pid
          and l.locktype = 'advisory'
          and l.granted
          and l.classid::bigint = any(${GATE_CLASSES}::bigint[])
      )`.execute(db);
  return rows.length;
}
