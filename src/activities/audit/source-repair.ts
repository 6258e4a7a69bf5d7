import { keyOfObjectId } from '../../contract/source-text.ts';
import { dropOrphanedParts } from '../../store/protocol/audit-repair.ts';
import { readFailedDetails } from '../../store/staging.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { type SourceWork, SourceWriter } from '../sources/source-writer.ts';
import type { Difference } from './source-look.ts';

/**
 * Brings objects to the state of their rows as the follower does: with a version that is drawn before the rows are read,
 * so that nothing newer is undone. `indexNo`: the index that serves. Returns why an object could not be synced, by id.
 */
export async function bringDifferences(
  deps: ActivityDependencies,
  { indexNo, ...work }: SourceWork & { indexNo: number },
  differences: ReadonlyMap<string, Difference>,
): Promise<Map<string, string>> {
  const idsOf = (is: (difference: Difference) => boolean) =>
    [...differences].filter(([, difference]) => is(difference)).map(([id]) => id);
  const keysOf = (ids: readonly string[]) =>
    ids.map((id) => keyOfObjectId(id, work.table.key.length)).filter((key) => key !== undefined);
  const trusting = new SourceWriter(deps, work);
  // A text that was changed by hand still has the hash of the one before.
  const distrusting = new SourceWriter(deps, { ...work, distrustsHashes: true });
  // An object that was deleted by hand may have left parts, which a new one would collide with.
  await dropOrphanedParts(
    deps.db,
    indexNo,
    idsOf(({ kind }) => kind === 'missing'),
  );
  await trusting.deleteGone(idsOf(({ hasRow }) => !hasRow));
  await trusting.bringAll(keysOf(idsOf(({ hasRow, isMetadata }) => hasRow && isMetadata)));
  await distrusting.bringAll(keysOf(idsOf(({ hasRow, isMetadata }) => hasRow && !isMetadata)));
  return readFailedDetails(deps.db, work.taskId, [...differences.keys()]);
}
