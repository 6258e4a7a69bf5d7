import type { Db } from '../database.ts';
import { readBacklog } from './backlog.ts';
import { runStatements } from './install.ts';
import { outboxOf } from './names.ts';
import type { SourceRow } from './rows.ts';
import { dropTriggersSql } from './triggers.ts';

/**
 * Stops recording changes of a source that has more than `max` of them, and forgets them: nobody syncs them, and they
 * would fill the disk. Returns why, or undefined if there are fewer. The index is behind until the source is set up
 * again, with a sync.
 */
export async function boundBacklog(database: Db, source: SourceRow, max: number): Promise<string | undefined> {
  const { changes } = await readBacklog(database, source);
  if (changes <= max) return undefined;
  await runStatements(database, source.no, [...dropTriggersSql(source.no), `truncate ${outboxOf(source.no)}`]);
  return `${changes} changes were not synced, more than REEMBED_SOURCE_MAX_CHANGES: its triggers are gone, set the source up again`;
}
