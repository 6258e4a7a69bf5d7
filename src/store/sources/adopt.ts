import { sql } from 'kysely';
import type { Db } from '../database.ts';
import type { TableFacts } from './inspect.ts';
import { runStatements } from './install.ts';
import { outboxOf } from './names.ts';
import type { ResolvedSource } from './resolved.ts';
import type { SourceRow } from './rows.ts';
import type { TableShape } from './shape.ts';
import { installSql } from './triggers.ts';

/**
 * Gives triggers to the partitions that a table was found to have, and records that rows may have gone with others. Rows
 * that came with a partition must be loaded. Error: `DatabaseUnavailable` if others keep the table locked.
 */
export async function adoptPartitions(
  db: Db,
  database: Db,
  { no, marker, definition, resolved: before }: SourceRow,
  found: TableFacts['partitions'],
): Promise<void> {
  const partitions = found.map(({ schema, name, oid }) => ({ schema, name, oid }));
  const resolved: ResolvedSource = { ...before, table: { ...before.table, partitions } };
  if (definition.follow === 'triggers') {
    await runStatements(database, no, [
      ...installSql({ no, marker, ...resolved }, { hasSchema: true }),
      `insert into ${outboxOf(no)} (kind) values ('all')`,
    ]);
  }
  await sql`
    update reembed.sources
    set resolved = ${JSON.stringify(resolved)}::jsonb
    where no = ${no}`.execute(db);
}

/** Stores the shape that a table was found to have. The rows must be loaded if it had another one. */
export async function adoptShape(db: Db, { no }: Pick<SourceRow, 'no'>, shape: TableShape): Promise<void> {
  await sql`
    update reembed.sources
    set resolved = jsonb_set(resolved, '{shape}', ${JSON.stringify(shape)}::jsonb)
    where no = ${no}`.execute(db);
}
