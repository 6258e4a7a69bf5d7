import type { CopyCounts } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { countFailedItems } from '../metrics/activities.ts';
import { prepareObjects } from '../pipeline/prepare.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import { type BehindObject, type StoredObject, wasDeletedOnce, writeCopies } from '../store/protocol/copy.ts';
import type { ObjectWrite } from '../store/protocol/write.ts';
import type { IndexRow } from '../store/schema.ts';
import { clearFailed, hasFailed, recordFailed } from '../store/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { atOnce, type GiveWay } from './give-way.ts';
import { patiently } from './running.ts';

export interface CopyTarget {
  /** The task on whose failed list objects are put that cannot be embedded; null to keep no list. */
  taskId: string | null;
  lock: string;
  dest: IndexRow;
  signal: AbortSignal;
  /** Absent where others wait for the copies. */
  giveWay?: GiveWay;
}

export const noCounts = (): CopyCounts => ({ copied: 0, tombstones: 0, failed: 0 });

export function addCounts(sum: CopyCounts, counts: CopyCounts): void {
  sum.copied += counts.copied;
  sum.tombstones += counts.tombstones;
  sum.failed += counts.failed;
}

export async function requireIndex(db: Db, indexNo: number): Promise<IndexRow> {
  const index = await findIndexByNo(db, indexNo);
  if (!index) throw new ReembedError('IndexNotFound', 'the index was deleted');
  return index;
}

/**
 * Copies stored objects to the index that is built, as they are in the source and with its versions: embedded with the
 * destination's model, tombstones as tombstones. An object that cannot be embedded is carried over as failed. Used by
 * slices, forwards, reconciling and the cut-over alike.
 */
export async function copyObjects(
  deps: ActivityDependencies,
  target: CopyTarget,
  objects: readonly BehindObject[],
): Promise<CopyCounts> {
  const { background: db } = deps;
  const { lock, dest, signal, giveWay = atOnce } = target;
  const known = new Map(objects.flatMap(({ id, destHash }) => (destHash === null ? [] : [[id, destHash]])));
  const deletedOnce = objects.filter(wasDeletedOnce).map(({ id }) => id);
  const { writes, failed } = await prepareCopies(deps, target, objects, known);
  const outcome = await giveWay(signal, () => writeCopies(db, lock, dest.no, writes, deletedOnce));
  if (outcome.changed.length > 0) {
    const changed = new Set(outcome.changed);
    const again = await prepareCopies(
      deps,
      target,
      objects.filter(({ id }) => changed.has(id)),
    );
    await writeCopies(db, lock, dest.no, again.writes, deletedOnce);
    failed.push(...again.failed);
  }
  if (target.taskId !== null) {
    await recordFailed(db, target.taskId, failed);
    countFailedItems(deps.metrics, failed);
    const failedIds = new Set(failed.map(({ objectId }) => objectId));
    const done = objects.map(({ id }) => id).filter((id) => !failedIds.has(id));
    // An earlier try may have failed them.
    if (await hasFailed(db, target.taskId)) await clearFailed(db, target.taskId, done);
  }
  const tombstones = objects.filter(({ deleted }) => deleted).length;
  return { copied: objects.length - tombstones - failed.length, tombstones, failed: failed.length };
}

/**
 * Embeds stored objects for the destination; what cannot be embedded is to be written as failed. `known` are the hashes
 * of what it has vectors of.
 */
export async function prepareCopies(
  { models, loader }: ActivityDependencies,
  { dest, signal }: Pick<CopyTarget, 'dest' | 'signal'>,
  objects: readonly StoredObject[],
  known?: ReadonlyMap<string, string>,
): Promise<{ writes: ObjectWrite[]; failed: FailedItem[] }> {
  const byId = new Map(objects.map((object) => [object.id, object]));
  const versionOf = (id: string) => byId.get(id)?.version ?? 0;
  const { ready, failed } = await patiently(signal, () =>
    prepareObjects(
      objects.filter(({ deleted }) => !deleted).map((object) => ({ ...object, metadata: object.metadata as never })),
      {
        config: dest,
        embedder: models.embedder(dest.model),
        loader,
        signal,
        known: known && (async () => known),
      },
    ),
  );
  const failures = failed.flatMap(({ objectId }) => byId.get(objectId) ?? []);
  return {
    failed,
    writes: [
      ...objects
        .filter(({ deleted }) => deleted)
        .map(({ id, version }) => ({ kind: 'tombstone' as const, id, version })),
      ...failures.map(({ id, version, payload, metadata, originalId, uri }) => ({
        kind: 'failed' as const,
        id,
        version,
        payload,
        metadata,
        originalId,
        uri,
      })),
      ...ready.map(({ unchanged, ...object }) => ({
        ...object,
        version: versionOf(object.id),
        kind: unchanged ? ('unchanged' as const) : ('content' as const),
      })),
    ],
  };
}
