import { messageOf } from '../../contract/errors.ts';
import type { Db } from '../../store/database.ts';
import { boundBacklog } from '../../store/sources/bound.ts';
import { listSources, type SourceRow } from '../../store/sources/rows.ts';
import { reportState } from '../../store/sources/state.ts';
import { follow } from '../../temporal/sources.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Bounds the changes that wait for each source, and starts to follow those that nobody follows. */
export async function tendSources(deps: ActivityDependencies, taskQueue: string): Promise<void> {
  for (const source of await listSources(deps.db)) {
    try {
      const reason = await backlogReason(deps, deps.sources.of(source.definition.connectionEnv), source);
      if (reason) await reportState(deps.db, source.no, { state: 'stopped', reason });
      else if (source.state !== 'stopped') await follow(deps.client, { no: source.no, name: source.name, taskQueue });
    } catch (error) {
      deps.log.warn({ source: source.name, reason: messageOf(error) }, 'a source could not be looked after');
    }
  }
}

/** Removes the triggers and the changes of a source that has too many; returns why, or undefined. */
export async function backlogReason(
  { settings: { sourceMaxChanges } }: ActivityDependencies,
  database: Db,
  source: SourceRow,
): Promise<string | undefined> {
  if (sourceMaxChanges === undefined || source.definition.follow !== 'triggers') return undefined;
  return boundBacklog(database, source, sourceMaxChanges);
}
