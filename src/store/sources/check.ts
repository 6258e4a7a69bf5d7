import { type FieldIssue, messageOf, ReembedError } from '../../contract/errors.ts';
import { contentColumns, type SourceDefinition, tableOf } from '../../contract/sources.ts';
import { boundTo } from '../admission.ts';
import type { Db } from '../database.ts';
import { columnProblems, databaseProblems, keyOf, tableProblems } from './check-table.ts';
import { inspectDatabase, inspectTable, similarTables, type TableFacts } from './inspect.ts';
import { type ResolvedSource, usedColumns } from './resolved.ts';
import { findRival, findTargetIndex } from './rivals.ts';
import { findSource, type SourceRow } from './rows.ts';
import { readShape } from './shape.ts';

/** A definition that can be set up. */
export interface CheckedSource {
  definition: SourceDefinition;
  resolved: ResolvedSource;
  /** Whether the database of the table has a schema of reembed. */
  hasSchema: boolean;
  /** The source as it is now, if it exists. */
  existing: SourceRow | undefined;
}

/**
 * Checks everything that a source needs, and changes nothing. `open` returns the database of the table. Error:
 * `InvalidInput` with each problem by field.
 */
export async function checkSource(
  db: Db,
  name: string,
  definition: SourceDefinition,
  open: () => Db,
): Promise<CheckedSource> {
  const existing = await findSource(db, name);
  const target = await findTarget(db, name, definition);
  const problems = [...target.problems, ...(existing ? changeProblems(existing.definition, definition) : [])];
  const found = await checkDatabase(definition, open);
  problems.push(...found.problems);
  const { resolved, hasSchema } = found;
  if (problems.length > 0 || resolved === undefined) {
    const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ');
    throw new ReembedError('InvalidInput', message, { issues: problems });
  }
  return { definition, resolved: { ...resolved, indexNo: target.indexNo }, hasSchema, existing };
}

/** Finds the index that the source writes to, by its number unless it is an alias, and what is wrong with it. */
async function findTarget(
  db: Db,
  name: string,
  { index }: SourceDefinition,
): Promise<{ problems: FieldIssue[]; indexNo: number | null }> {
  const of = (message: string) => ({ problems: [{ path: 'index', message }], indexNo: null });
  const found = await findTargetIndex(db, index);
  if (found === undefined) return of(`there is no index or alias ${index}: create it first`);
  if (found.state === 'deleting') return of(`the index ${found.name} is being deleted`);
  if (found.versioning === 'external')
    return of(`the index ${found.name} has external versions, which a table has not`);
  const other = await findRival(db, name, found, index);
  if (other) return of(`the source ${other.name} writes to ${other.index}: an index follows one table`);
  return { problems: [], indexNo: boundTo(found, index) };
}

/** What a source keeps, since objects of the index come from it. */
function changeProblems(before: SourceDefinition, after: SourceDefinition): FieldIssue[] {
  const kept: [string, (definition: SourceDefinition) => unknown][] = [
    ['index', ({ index }) => index],
    ['table', tableOf],
    ['connectionEnv', ({ connectionEnv }) => connectionEnv],
    ['key', ({ key }) => key],
  ];
  return kept
    .filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(after)))
    .map(([path]) => ({ path, message: 'cannot be changed: delete the source, and add another' }));
}

interface CheckedDatabase {
  problems: FieldIssue[];
  resolved?: ResolvedSource;
  hasSchema: boolean;
}

async function checkDatabase(definition: SourceDefinition, open: () => Db): Promise<CheckedDatabase> {
  const none = { problems: [], hasSchema: false };
  let database: Db;
  try {
    database = open();
  } catch (error) {
    if (!(error instanceof ReembedError)) throw error;
    return { ...none, problems: error.issues };
  }
  try {
    const facts = await inspectDatabase(database);
    const table = await inspectTable(database, tableOf(definition));
    const { hasSchema } = facts;
    const problems = databaseProblems(facts, definition);
    if (table === undefined) return { hasSchema, problems: [...problems, await noTable(database, definition)] };
    const key = keyOf(table, definition);
    problems.push(...tableProblems(table, definition), ...key.problems, ...columnProblems(table, definition));
    const resolved = resolve(definition, table, key.columns);
    return {
      hasSchema,
      problems,
      resolved: { ...resolved, shape: await readShape(database, table.oid, usedColumns(resolved)) },
    };
  } catch (error) {
    if (definition.connectionEnv === undefined) throw error;
    const message = `the database of ${definition.connectionEnv} does not answer: ${messageOf(error)}`;
    return { ...none, problems: [{ path: 'connectionEnv', message }] };
  }
}

function resolve(definition: SourceDefinition, table: TableFacts, key: ResolvedSource['key']): ResolvedSource {
  const { schema, name, oid, kind } = table;
  const partitions =
    kind === 'p' ? table.partitions.map((one) => ({ schema: one.schema, name: one.name, oid: one.oid })) : null;
  const isKey = new Set(key.map((column) => column.name));
  return {
    table: { schema, name, oid, partitions },
    key,
    content: contentColumns(definition).filter((column) => !isKey.has(column)),
  };
}

async function noTable(db: Db, definition: SourceDefinition): Promise<FieldIssue> {
  const { schema, name } = tableOf(definition);
  const similar = await similarTables(db, { schema, name });
  const hint = similar.length === 0 ? '' : `: did you mean ${similar.join(' or ')}?`;
  return { path: 'table', message: `there is no table ${name} in the schema ${schema}${hint}` };
}
