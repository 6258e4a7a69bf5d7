import { sql } from 'kysely';
import type { SourceInfo } from '../../contract/sources.ts';
import type { Db } from '../database.ts';
import { outboxOf } from './names.ts';
import type { SourceRow } from './rows.ts';

/** Counting more takes too long for a read that is made often. */
const MAX_COUNTED = 100_000;

/** Counts the changes that a source has recorded and not followed yet, with the age of the oldest one in seconds. */
export async function readBacklog(
  database: Db,
  { no }: Pick<SourceRow, 'no'>,
): Promise<NonNullable<SourceInfo['backlog']>> {
  const outbox = sql.raw(outboxOf(no));
  const { rows } = await sql<{ counted: number; estimate: number; seconds: number | null }>`
    select (select count(*) from (select from ${outbox} limit ${MAX_COUNTED + 1}) first) as counted,
      (select greatest(reltuples, 0)::bigint from pg_class where oid = ${outboxOf(no)}::regclass) as estimate,
      (
        select greatest(extract(epoch from clock_timestamp() - at), 0)::float8
        from ${outbox}
        order by seq
        limit 1
      ) as seconds`.execute(database);
  const { counted = 0, estimate = 0, seconds = null } = rows[0] ?? {};
  const estimated = counted > MAX_COUNTED;
  return { changes: estimated ? Math.max(counted, estimate) : counted, estimated, seconds };
}
