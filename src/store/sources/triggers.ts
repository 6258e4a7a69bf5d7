import type { TableName } from '../../contract/sources.ts';
import { channelOf, dependsOnZone, functionOf, ident, keyText, literal, outboxOf, qualified } from './names.ts';
import type { KeyColumn, ResolvedSource } from './resolved.ts';
import { dropWriteTokenSql, writeTokenSql } from './write-token.ts';

/** What triggers are made for: the number of a source, and its table. */
export interface TriggerSource extends ResolvedSource {
  no: number;
  /** Comment of the outbox, by which another installation's is recognized. */
  marker: string;
}

/**
 * Returns the statements that make the outbox of a source and its triggers, or replace the triggers and keep the outbox.
 * They run in one transaction. The last ones lock the table against writers until it ends, for milliseconds once the
 * writers before them have ended.
 *
 * A table without partitions has triggers per statement, which read the changed rows as a set. So do a partitioned
 * table and all its partitions: the trigger of the table that a statement names is the one that fires. Partitions that
 * are made or attached later have triggers per row, which Postgres copies from the partitioned table; they skip the
 * partitions of the list.
 */
export function installSql(source: TriggerSource, { hasSchema }: { hasSchema: boolean }): string[] {
  const { no, table } = source;
  const tables = [table, ...(table.partitions ?? [])];
  return [
    ...(hasSchema ? [] : ['create schema reembed']),
    ...outboxSql(source),
    writeTokenSql(),
    ...dropTriggersSql(no),
    ...functionsSql(source),
    ...tables.flatMap((one) => [...statementTriggers(no, one), truncateTrigger(no, one)]),
    ...(table.partitions === null ? [] : rowTriggers(no, table)),
  ];
}

/** Returns the statements that remove everything of a source from the database of its table, which may be gone. */
export function removeSql(no: number): string[] {
  return [...dropTriggersSql(no), `drop table if exists ${outboxOf(no)}`, dropWriteTokenSql()];
}

/**
 * Returns the statements that stop recording changes, and keep those that are recorded. Dropping the functions drops
 * the triggers, which alone only the owner of the table could drop.
 */
export function dropTriggersSql(no: number): string[] {
  return (['statement', 'row', 'truncate'] as const).map(
    (kind) => `drop function if exists ${functionOf(no, kind)}() cascade`,
  );
}

/** Returns the statement for a partition that came later; its rows have triggers by then. */
export function truncateTrigger(no: number, table: TableName): string {
  return trigger(
    no,
    table,
    'truncate',
    'after truncate',
    `for each statement execute function ${functionOf(no, 'truncate')}()`,
  );
}

/** `kind`: `row`; `all` if rows were removed without their keys; `drift` if the table no longer has the columns. */
function outboxSql({ no, marker }: TriggerSource): string[] {
  const outbox = outboxOf(no);
  return [
    [
      `create table if not exists ${outbox} (`,
      '  seq  bigint generated always as identity primary key,',
      '  xid  xid8 not null default pg_current_xact_id(),',
      "  kind text not null default 'row',",
      '  key  jsonb,',
      '  note text,',
      '  at   timestamptz not null default clock_timestamp()',
      // Rows stay for moments: without these settings, a long burst leaves pages behind that every read passes.
      ') with (fillfactor = 100, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,',
      '  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)',
    ].join('\n'),
    `comment on table ${outbox} is ${literal(`reembed ${marker}`)}`,
  ];
}

function functionsSql(source: TriggerSource): string[] {
  const { no, table } = source;
  const bodies = {
    statement: guarded(source, STATEMENT_BODY(source)),
    truncate: [`  insert into ${outboxOf(no)} (kind) values ('all');`],
    ...(table.partitions === null ? {} : { row: guarded(source, ROW_BODY(source)) }),
  };
  return Object.entries(bodies).flatMap(([kind, body]) => {
    const name = functionOf(no, kind as keyof typeof bodies);
    return [functionSql(source, name, body), `revoke all on function ${name}() from public`];
  });
}

/**
 * A function runs with the rights of its owner, so that writers of the table need none on the outbox, and with a fixed
 * search path, so that they cannot put their own functions in. NOTIFY would make `prepare transaction` fail. If someone
 * dropped the outbox, or took the owner's rights on it, writes continue; the follower reports it.
 */
function functionSql({ no, key }: TriggerSource, name: string, body: readonly string[]): string {
  return [
    `create function ${name}() returns trigger`,
    'language plpgsql',
    'security definer',
    'set search_path = pg_catalog, pg_temp',
    ...(dependsOnZone(key) ? ["set timezone = 'UTC'"] : []),
    'as $reembed$',
    'begin',
    '  if not coalesce(',
    "    case when has_schema_privilege(to_regnamespace('reembed'), 'usage')",
    `      then has_table_privilege(to_regclass(${literal(outboxOf(no))}), 'insert') end,`,
    '    false',
    '  ) then return null; end if;',
    ...body,
    "  if found and current_setting('max_prepared_transactions') = '0' then",
    `    perform pg_notify(${literal(channelOf(no))}, '');`,
    '  end if;',
    '  return null;',
    'end',
    '$reembed$',
  ].join('\n');
}

/**
 * Writes of the user must not fail because a column was dropped or renamed: then the change is recorded without a key.
 * A block with an exception handler would do the same, but it is a subtransaction in each statement of the user.
 */
function guarded({ no, key, content }: TriggerSource, body: readonly string[]): string[] {
  const columns = [...key.map(({ name }) => name), ...content];
  const names = `array[${columns.map(literal).join(', ')}]::name[]`;
  return [
    '  if (',
    '    select count(*)',
    '    from pg_attribute',
    `    where attrelid = tg_relid and attname = any (${names}) and not attisdropped`,
    `  ) < ${columns.length} then`,
    `    insert into ${outboxOf(no)} (kind, note)`,
    "    select 'drift', 'columns are missing: ' || string_agg(name, ', ')",
    `    from unnest(${names}) as needed (name)`,
    '    where not exists (select from pg_attribute where attrelid = tg_relid and attname = name and not attisdropped);',
    ...body,
    '  end if;',
  ];
}

/**
 * Compares the images of rows, not values: types without equality are allowed, and values that are equal but look
 * different, such as 1.0 and 1.00, are a change. A changed key is a row without a partner on either side.
 */
const STATEMENT_BODY = ({ no, key, content }: TriggerSource): string[] => {
  const outbox = outboxOf(no);
  const first = ident((key[0] as KeyColumn).name);
  return [
    "  elsif tg_op = 'INSERT' then",
    `    insert into ${outbox} (key) select ${keyOf(key, 'n')} from new_rows n;`,
    "  elsif tg_op = 'DELETE' then",
    `    insert into ${outbox} (key) select ${keyOf(key, 'o')} from old_rows o;`,
    '  else',
    `    insert into ${outbox} (key)`,
    `    select case when n.${first} is null then ${keyOf(key, 'o')} else ${keyOf(key, 'n')} end`,
    '    from old_rows o',
    `    full join new_rows n on ${key.map(({ name }) => `o.${ident(name)} = n.${ident(name)}`).join(' and ')}`,
    `    where o.${first} is null or n.${first} is null or ${differs([...key.map(({ name }) => name), ...content], 'o', 'n')};`,
  ];
};

const ROW_BODY = ({ no, key, content }: TriggerSource): string[] => {
  const outbox = outboxOf(no);
  const names = key.map(({ name }) => name);
  return [
    "  elsif tg_op = 'INSERT' then",
    `    insert into ${outbox} (key) values (${keyOf(key, 'new')});`,
    "  elsif tg_op = 'DELETE' then",
    `    insert into ${outbox} (key) values (${keyOf(key, 'old')});`,
    `  elsif ${differs(names, 'old', 'new')} then`,
    `    insert into ${outbox} (key) values (${keyOf(key, 'old')}), (${keyOf(key, 'new')});`,
    `  elsif ${differs(content, 'old', 'new')} then`,
    `    insert into ${outbox} (key) values (${keyOf(key, 'new')});`,
  ];
};

function keyOf(key: readonly KeyColumn[], row: string): string {
  return `jsonb_build_array(${key.map((column) => keyText(column, `${row}.${ident(column.name)}`)).join(', ')})`;
}

function differs(columns: readonly string[], left: string, right: string): string {
  if (columns.length === 0) return 'false';
  const rowOf = (row: string) => `row(${columns.map((column) => `${row}.${ident(column)}`).join(', ')})`;
  return `${rowOf(left)}::record *<> ${rowOf(right)}::record`;
}

function statementTriggers(no: number, table: TableName): string[] {
  const run = `for each statement execute function ${functionOf(no, 'statement')}()`;
  return [
    trigger(no, table, 'insert', 'after insert', `referencing new table as new_rows ${run}`),
    trigger(no, table, 'update', 'after update', `referencing old table as old_rows new table as new_rows ${run}`),
    trigger(no, table, 'delete', 'after delete', `referencing old table as old_rows ${run}`),
  ];
}

function rowTriggers(no: number, table: ResolvedSource['table']): string[] {
  const known = literal(`{${(table.partitions ?? []).map(({ oid }) => oid).join()}}`);
  return (['insert', 'update', 'delete'] as const).map((event) => {
    const row = event === 'delete' ? 'old' : 'new';
    const when = `when (${row}.tableoid <> all (${known}::oid[]))`;
    return trigger(
      no,
      table,
      `row_${event}`,
      `after ${event}`,
      `for each row ${when} execute function ${functionOf(no, 'row')}()`,
    );
  });
}

function trigger(no: number, table: TableName, suffix: string, event: string, rest: string): string {
  return `create trigger reembed_source_${no}_${suffix} ${event} on ${qualified(table)}\n${rest}`;
}
