import { type RawBuilder, sql } from 'kysely';
import type { TableName } from '../../contract/sources.ts';
import type { Db } from '../database.ts';

/** What the catalog of Postgres says of a table. */
export interface TableFacts extends TableName {
  oid: string;
  /** Of `pg_class`: `r` table, `p` partitioned table, `v` view, `m` materialized view, `f` foreign table. */
  kind: string;
  /** `p` permanent, `u` unlogged, `t` temporary. */
  persistence: string;
  isPartition: boolean;
  /** Whether it inherits from a table, or another from it, without partitions. */
  inherits: boolean;
  /** Whether a subscription of logical replication writes it, or a partition of it. */
  isSubscribed: boolean;
  /** Whether row-level security hides rows from this role. */
  hidesRows: boolean;
  mayRead: boolean;
  mayTrigger: boolean;
  partitions: (TableName & { oid: string; kind: string })[];
  columns: ColumnFacts[];
  /** Columns of each index that identifies rows, the primary key first. */
  keys: string[][];
}

export interface ColumnFacts {
  name: string;
  /** As SQL writes it, such as `character varying(20)`; of a domain that of its base type. */
  type: string;
  isEnum: boolean;
  notNull: boolean;
  /** Computed when it is read. */
  isVirtual: boolean;
  /** Equal texts have equal bytes. */
  isDeterministic: boolean;
}

/** What the database of a source's table allows. */
export interface DatabaseFacts {
  version: number;
  encoding: string;
  isReadOnly: boolean;
  hasSchema: boolean;
  /** Whether tables can be created in the schema of reembed, or the schema itself. */
  mayCreate: boolean;
}

export async function inspectDatabase(db: Db): Promise<DatabaseFacts> {
  const { rows } = await sql<DatabaseFacts>`
    select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding,
      pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly",
      to_regnamespace('reembed') is not null as "hasSchema",
      case
        when to_regnamespace('reembed') is null then has_database_privilege(current_database(), 'create')
        else has_schema_privilege('reembed', 'create') and has_schema_privilege('reembed', 'usage')
      end as "mayCreate"`.execute(db);
  return rows[0] as DatabaseFacts;
}

/** Returns the facts of a table; undefined if there is none. */
export async function inspectTable(db: Db, { schema, name }: TableName): Promise<TableFacts | undefined> {
  const { rows } = await sql<TableFacts>`
    select c.oid::text as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
      c.relpersistence::text as persistence, c.relispartition as "isPartition",
      not c.relispartition and exists (select from pg_inherits where inhrelid = c.oid)
        or c.relkind = 'r' and exists (select from pg_inherits where inhparent = c.oid) as inherits,
      exists (
        select from pg_subscription_rel
        where srrelid = c.oid or srrelid in (select relid from pg_partition_tree(c.oid))
      ) as "isSubscribed",
      row_security_active(c.oid) as "hidesRows",
      has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as "mayRead",
      ${maySetTriggers} as "mayTrigger",
      ${partitions} as partitions, ${columns} as columns, ${keys} as keys
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${name} and c.relkind in ('r', 'p', 'v', 'm', 'f')`.execute(db);
  return rows[0];
}

/** Finds names like that of a table, which differ from it in capitals or in the schema. */
export async function similarTables(db: Db, { name }: TableName): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select n.nspname || '.' || c.relname as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where lower(c.relname) = lower(${name}) and c.relkind in ('r', 'p')
    order by 1
    limit 3`.execute(db);
  return rows.map((row) => row.name);
}

const maySetTriggers: RawBuilder<unknown> = sql`
  coalesce(
    (
      select bool_and(has_table_privilege(relid, 'trigger'))
      from pg_partition_tree(c.oid)
    ),
    has_table_privilege(c.oid, 'trigger')
  )`;

const partitions: RawBuilder<unknown> = sql`
  coalesce(
    (
      select jsonb_agg(
        jsonb_build_object('oid', p.oid::text, 'schema', pn.nspname, 'name', p.relname, 'kind', p.relkind) order by p.oid
      )
      from pg_partition_tree(c.oid) tree
      join pg_class p on p.oid = tree.relid
      join pg_namespace pn on pn.oid = p.relnamespace
      where p.oid <> c.oid
    ),
    '[]'
  )`;

const columns: RawBuilder<unknown> = sql`
  (
    select coalesce(jsonb_agg(
      jsonb_build_object(
        'name', a.attname,
        'type', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) else format_type(t.oid, a.atttypmod) end,
        'isEnum', t.typtype = 'e',
        'notNull', a.attnotnull,
        'isVirtual', a.attgenerated = 'v',
        'isDeterministic', coalesce(co.collisdeterministic, true)
      ) order by a.attnum
    ), '[]')
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_collation co on co.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  )`;

/** Unique indexes of all rows over plain columns. */
const keys: RawBuilder<unknown> = sql`
  (
    select coalesce(jsonb_agg(names order by is_primary desc, names), '[]')
    from (
      select i.indisprimary as is_primary,
        (
          select jsonb_agg(a.attname order by k.at)
          from unnest(i.indkey::int[]) with ordinality k (attnum, at)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
          where k.at <= i.indnkeyatts
        ) as names
      from pg_index i
      where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
    ) unique_indexes
  )`;
