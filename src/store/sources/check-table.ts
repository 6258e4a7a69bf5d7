import type { FieldIssue } from '../../contract/errors.ts';
import { type SourceDefinition, textColumns, whereColumns } from '../../contract/sources.ts';
import { closest } from '../../contract/spelling.ts';
import type { ColumnFacts, DatabaseFacts, TableFacts } from './inspect.ts';
import type { KeyColumn } from './resolved.ts';

/** The first version with `xid8`. */
const MIN_VERSION = 130_000;

/** Types of which equal values have equal texts, which is what ids of objects are made of. */
const KEY_TYPES =
  /^(smallint|integer|bigint|boolean|text|character varying(\(\d+\))?|character\(\d+\)|uuid|date|timestamp(\(\d\))? with(out)? time zone|numeric\(\d+,-?\d+\))$/;
const TEXT_TYPES = /^(text|character varying(\(\d+\))?|character\(\d+\)|citext)$/;
const TIME_TYPES = /^timestamp(\(\d\))? with(out)? time zone$/;

/** Returns what is wrong with the database of a source. */
export function databaseProblems(database: DatabaseFacts, { follow }: SourceDefinition): FieldIssue[] {
  const path = 'connectionEnv';
  const problems: string[] = [];
  if (database.encoding !== 'UTF8') problems.push(`the database must have the encoding UTF8, not ${database.encoding}`);
  if (follow === 'triggers') {
    if (database.version < MIN_VERSION) problems.push('the server must be Postgres 13 or newer');
    if (database.isReadOnly) problems.push('the database is read-only: name the primary server, or use follow poll');
    else if (!database.mayCreate) {
      const right = database.hasSchema ? 'create tables in the schema reembed' : 'create the schema reembed';
      problems.push(`the role of the connection has no right to ${right}`);
    }
  }
  return problems.map((message) => ({ path, message }));
}

/** Why triggers do not see what logical replication writes. */
export const SUBSCRIBED = 'gets rows by a subscription of logical replication, which fires no triggers';

/** Returns what is wrong with the table itself. */
export function tableProblems(table: TableFacts, { follow }: SourceDefinition): FieldIssue[] {
  const path = 'table';
  const problems: string[] = [];
  const what = { v: 'a view', m: 'a materialized view', f: 'a foreign table' }[table.kind];
  if (what) problems.push(`is ${what}: its changes cannot be followed`);
  if (table.schema === 'reembed' || /^pg_|^information_schema$/.test(table.schema)) {
    problems.push(`is in the schema ${table.schema}, which has no tables of yours`);
  }
  if (table.isPartition) problems.push('is a partition: name the partitioned table, and filter with where');
  if (table.inherits) problems.push('has tables that inherit from it, or inherits itself: no key holds in all of them');
  if (table.persistence === 'u') problems.push('is unlogged: it loses rows in a crash, which nobody would notice');
  if (table.persistence === 't') problems.push('is temporary');
  if (follow === 'triggers' && table.isSubscribed) problems.push(`${SUBSCRIBED}: use follow poll`);
  const foreign = table.partitions.find(({ kind }) => kind === 'f');
  if (foreign) problems.push(`has the partition ${foreign.name}, which is a foreign table`);
  if (!table.mayRead) problems.push('the role of the connection has no right to select from it');
  else if (table.hidesRows) problems.push('row-level security hides rows from the role of the connection');
  if (follow === 'triggers' && !table.mayTrigger && what === undefined) {
    problems.push(
      'the role of the connection has no right to create triggers on it: grant trigger, or use follow poll',
    );
  }
  return problems.map((message) => ({ path, message }));
}

/** Returns the key of a source, or what is wrong with it. */
export function keyOf(table: TableFacts, { key }: SourceDefinition): { columns: KeyColumn[]; problems: FieldIssue[] } {
  const [primary] = table.keys;
  const names = key ?? primary;
  const of = (path: string, message: string) => ({ columns: [], problems: [{ path, message }] });
  if (names === undefined) {
    return of('key', 'the table has no primary key: name columns that are unique and not null');
  }
  const problems: FieldIssue[] = [];
  const columns: KeyColumn[] = [];
  names.forEach((name, at) => {
    const path = key ? `key.${at}` : 'key';
    const column = table.columns.find((one) => one.name === name);
    if (column === undefined) {
      problems.push({ path, message: noColumn(table, name) });
      return;
    }
    columns.push({ name, type: column.type });
    const message = keyColumnProblem(column);
    if (message) problems.push({ path, message });
  });
  const isUnique = table.keys.some((one) => one.length === names.length && one.every((name) => names.includes(name)));
  if (problems.length === 0 && !isUnique) {
    problems.push({ path: 'key', message: `there is no unique index on exactly ${names.join(', ')}` });
  }
  return { columns, problems };
}

function keyColumnProblem(column: ColumnFacts): string | undefined {
  if (!column.notNull) return `${column.name} may be null: a key must be not null`;
  if (!column.isDeterministic) return `${column.name} has a collation in which different texts are equal`;
  if (column.isEnum || KEY_TYPES.test(column.type)) return undefined;
  return `${column.name} has the type ${column.type}; a key has integers, texts, uuids, dates, times, enums, booleans or numeric(p,s)`;
}

/** Returns what is wrong with the columns that objects are made of. */
export function columnProblems(table: TableFacts, definition: SourceDefinition): FieldIssue[] {
  const { text, uriColumn, metadata, updatedAt } = definition;
  const uses: { name: string; path: string; types?: RegExp }[] = [
    ...textColumns(definition).map((name, at) => ({
      name,
      path: Array.isArray(text) ? `text.${at}` : 'text.template',
    })),
    ...metadata.map((name, at) => ({ name, path: `metadata.${at}` })),
    ...whereColumns(definition).map((name) => ({ name, path: `where.${name}` })),
    ...(uriColumn ? [{ name: uriColumn, path: 'uriColumn', types: TEXT_TYPES }] : []),
    ...(updatedAt ? [{ name: updatedAt, path: 'updatedAt', types: TIME_TYPES }] : []),
  ];
  return uses.flatMap(({ name, path, types }) => {
    const column = table.columns.find((one) => one.name === name);
    const message = column ? columnProblem(column, types) : noColumn(table, name);
    return message ? [{ path, message }] : [];
  });
}

function columnProblem({ name, type, isVirtual }: ColumnFacts, types: RegExp | undefined): string | undefined {
  if (isVirtual) return `${name} is computed when it is read, so its changes cannot be followed: make it stored`;
  if (types && !types.test(type))
    return `${name} has the type ${type}, and must be ${types === TIME_TYPES ? 'a timestamp' : 'a text'}`;
  return type === 'bytea' ? `${name} has the type bytea, which is neither text nor JSON` : undefined;
}

function noColumn(table: TableFacts, name: string): string {
  const names = table.columns.map((column) => column.name);
  const near = names.find((one) => one.toLowerCase() === name.toLowerCase()) ?? closest(name, names);
  return `the table has no column ${name}${near === undefined ? '' : `: did you mean ${near}?`}`;
}
