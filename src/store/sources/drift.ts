import { sql } from 'kysely';
import { contentColumns, tableOf } from '../../contract/sources.ts';
import type { Db } from '../database.ts';
import { SUBSCRIBED } from './check-table.ts';
import { inspectTable, type TableFacts } from './inspect.ts';
import { functionOf, outboxOf } from './names.ts';
import { usedColumns } from './resolved.ts';
import type { SourceRow } from './rows.ts';
import { hasOtherValues, readShape, type TableShape } from './shape.ts';

/**
 * How a table is now, compared with how it was when its source was set up. `partitions`: some came or went, with rows
 * that no trigger saw. `values`: its definition was changed, and with it values that no trigger saw. `stopped`: it cannot
 * be followed until someone acts. The shape of `none` is one that nothing was compared with.
 */
export type Drift =
  | { kind: 'none'; shape?: TableShape }
  | { kind: 'partitions'; partitions: TableFacts['partitions'] }
  | { kind: 'values'; shape: TableShape }
  | { kind: 'stopped'; reason: string };

/** Says why the rows of a source cannot be read as they were when it was set up, or returns undefined. */
export async function readTableProblem(database: Db, source: SourceRow): Promise<string | undefined> {
  const table = await inspectTable(database, tableOf(source.definition));
  return table ? tableReason(source, table) : goneReason(database, source);
}

/** Finds out whether the triggers of a source still see all changes of its table. */
export async function readDrift(database: Db, source: SourceRow): Promise<Drift> {
  const { definition, resolved } = source;
  const table = await inspectTable(database, tableOf(definition));
  const reason = table ? tableReason(source, table) : await goneReason(database, source);
  if (reason) return { kind: 'stopped', reason };
  if (definition.follow === 'triggers') {
    const missing = await missingReason(database, source);
    if (missing) return { kind: 'stopped', reason: missing };
  }
  const before = (resolved.table.partitions ?? []).map(({ oid }) => oid);
  const now = new Set(table?.partitions.map(({ oid }) => oid));
  const isSame = before.length === now.size && before.every((oid) => now.has(oid));
  if (!isSame) return { kind: 'partitions', partitions: table?.partitions ?? [] };
  const shape = await readShape(database, resolved.table.oid, usedColumns(resolved));
  if (!resolved.shape) return { kind: 'none', shape };
  return hasOtherValues(resolved.shape, shape) ? { kind: 'values', shape } : { kind: 'none' };
}

function tableReason({ definition, resolved }: SourceRow, table: TableFacts): string | undefined {
  const name = `${table.schema}.${table.name}`;
  if (table.oid !== resolved.table.oid)
    return `the table ${name} was dropped, and another has its name: set the source up again`;
  if (table.isPartition || table.inherits)
    return `the table ${name} is part of another one: its changes are not all seen`;
  if (table.isSubscribed && definition.follow === 'triggers')
    return `the table ${name} ${SUBSCRIBED}: add the source again with follow poll`;
  if (!table.mayRead) return `the role of the connection has no right to select from ${name}`;
  if (table.hidesRows) return `row-level security hides rows of ${name} from the role of the connection`;
  const needed = [...resolved.key.map((column) => column.name), ...contentColumns(definition)];
  const missing = needed.filter((column) => !table.columns.some((one) => one.name === column));
  if (missing.length > 0) return `the table ${name} has no column ${missing.join(', ')} any more`;
  const changed = resolved.key.find(({ name, type }) =>
    table.columns.some((one) => one.name === name && one.type !== type),
  );
  return changed && `the type of the key's column ${changed.name} was changed: set the source up again`;
}

async function goneReason(database: Db, { resolved }: SourceRow): Promise<string> {
  const { schema, name, oid } = resolved.table;
  const { rows } = await sql<{ name: string }>`
    select n.nspname || '.' || c.relname as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = ${oid}::oid`.execute(database);
  const was = `the table ${schema}.${name}`;
  return rows[0] ? `${was} was renamed to ${rows[0].name}` : `${was} was dropped`;
}

/** Each table has four triggers of the source, and a partitioned one three more. */
async function missingReason(database: Db, { no, resolved }: SourceRow): Promise<string | undefined> {
  const { rows } = await sql<{ outbox: boolean; tables: string[] }>`
    select to_regclass(${outboxOf(no)}) is not null as outbox,
      array(
        select oid::regclass::text
        from unnest(${[resolved.table, ...(resolved.table.partitions ?? [])].map(({ oid }) => oid)}::oid[]) as known (oid)
        where exists (select from pg_class where pg_class.oid = known.oid)
          and (
            select count(*)
            from pg_trigger
            where tgrelid = known.oid and tgenabled in ('O', 'A')
              and tgfoid in (to_regproc(${functionOf(no, 'statement')}), to_regproc(${functionOf(no, 'truncate')}))
          ) < 4
      ) as tables`.execute(database);
  const { outbox = false, tables = [] } = rows[0] ?? {};
  if (!outbox) return `the outbox ${outboxOf(no)} was dropped: set the source up again`;
  return tables.length > 0
    ? `triggers of ${tables.join(', ')} were dropped or disabled: set the source up again`
    : undefined;
}
