import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import { isDistributed } from './layout.ts';

type Bytes = RawBuilder<number>;

/**
 * Returns SQL for the bytes of a table of an index: `table` without its indexes, `total` with them. On the coordinator
 * the functions of Postgres see a distributed table as empty, and tell nobody.
 */
export async function tableSizeSql(db: Db | Trx, table: string, what: 'table' | 'total'): Promise<Bytes> {
  const name = sql`${table}::regclass`;
  if (await isDistributed(db)) {
    return what === 'table' ? sql`citus_table_size(${name})` : sql`citus_total_relation_size(${name})`;
  }
  return what === 'table' ? sql`pg_table_size(${name})` : sql`pg_total_relation_size(${name})`;
}

/** Returns SQL for the bytes of an index of Postgres on a table; 0 if it does not exist. */
export async function indexSizeSql(db: Db | Trx, table: string, index: string): Promise<Bytes> {
  if (!(await isDistributed(db))) return sql`coalesce(pg_relation_size(to_regclass(${`reembed.${index}`})), 0)`;
  // The index of a shard has the number of the shard at the end of its name.
  const command = `
    select coalesce(pg_relation_size(to_regclass('reembed.${index}_' || substring('%s' from '[0-9]+$'))), 0)`;
  return sql`(
    select coalesce(sum(result::bigint), 0)::bigint
    from run_command_on_shards(${table}::regclass, ${sql.lit(command)})
    where success
  )`;
}

/** Reads how many rows the shards of a table have, as of their last vacuum or analyze. */
export async function estimatedRowsOfShards(db: Db | Trx, table: string): Promise<number> {
  const command = `select greatest(reltuples, 0) from pg_class where oid = '%s'::regclass`;
  const { rows } = await sql<{ rows: number }>`
    select coalesce(sum(result::float8), 0)::float8 as rows
    from run_command_on_shards(${table}::regclass, ${sql.lit(command)})
    where success`.execute(db);
  return rows[0]?.rows ?? 0;
}
