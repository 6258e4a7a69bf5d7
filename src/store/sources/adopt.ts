import { sql } from 'kysely';
import { tableOf } from '../../contract/sources.ts';
import type { Db } from '../database.ts';
import { inspectTable } from './inspect.ts';
import { runStatements } from './install.ts';
import { outboxOf } from './names.ts';
import type { ResolvedSource } from './resolved.ts';
import type { SourceRow } from './rows.ts';
import { installSql } from './triggers.ts';

/**
 * Gives triggers to the partitions that a table has by now, and records that rows may have gone with others. Rows that
 * came with a partition must be loaded afterwards. Returns false if the table is gone. Error: `DatabaseUnavailable` if
 * others keep the table locked.
 */
export async function adoptPartitions(db: Db, database: Db, source: SourceRow): Promise<boolean> {
  const { no, marker, definition } = source;
  const table = await inspectTable(database, tableOf(definition));
  if (table === undefined || table.kind !== 'p' || table.oid !== source.resolved.table.oid) return false;
  const partitions = table.partitions.map(({ schema, name, oid }) => ({ schema, name, oid }));
  const resolved: ResolvedSource = { ...source.resolved, table: { ...source.resolved.table, partitions } };
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
  return true;
}
