import pLimit from 'p-limit';
import { messageOf } from '../../contract/errors.ts';
import type { Db } from '../../store/database.ts';
import { boundBacklog } from '../../store/sources/bound.ts';
import { listSources, type SourceRow } from '../../store/sources/rows.ts';
import { reportState } from '../../store/sources/state.ts';
import { follow } from '../../temporal/sources.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Sources that are looked after at once: one whose database does not answer holds up few others. */
const AT_ONCE = 8;

/** Bounds the changes that wait for each source, and starts to follow those that nobody follows. */
export async function tendSources(deps: ActivityDependencies, taskQueue: string): Promise<void> {
  const limit = pLimit(AT_ONCE);
  const sources = await listSources(deps.db);
  await Promise.all(sources.map((source) => limit(() => tend(deps, source, taskQueue))));
}

/** Looks after one source. One whose database is away is followed too: its follower waits for it, and says so. */
async function tend(deps: ActivityDependencies, source: SourceRow, taskQueue: string): Promise<void> {
  const { no, name, state, definition } = source;
  const warn = (error: unknown) =>
    deps.log.warn({ source: name, reason: messageOf(error) }, 'a source could not be looked after');
  const bound = async () => backlogReason(deps, deps.sources.of(definition.connectionEnv), source);
  try {
    const reason = await bound().catch(warn);
    if (reason) await reportState(deps.db, no, { state: 'stopped', reason });
    else if (state !== 'stopped') await follow(deps.client, { no, name, taskQueue });
  } catch (error) {
    warn(error);
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
