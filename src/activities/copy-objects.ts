import type { CopyCounts } from '../contract/activities.ts';
import { ReembedError } from '../contract/errors.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { countFailedItems } from '../metrics/activities.ts';
import { prepareObjects } from '../pipeline/prepare.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import { type BehindObject, type StoredObject, wasDeletedOnce, writeCopies } from '../store/protocol/copy.ts';
import { notOvertaken } from '../store/protocol/versions.ts';
import type { ObjectWrite } from '../store/protocol/write.ts';
import type { IndexRow } from '../store/schema.ts';
import { clearFailed, hasFailed } from '../store/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { atOnce, type GiveWay } from './give-way.ts';
import { preparedWrite } from './prepared-write.ts';
import { createPatience, pauseWithin } from './running.ts';
import { waitsOf, watched } from './waits.ts';

export interface CopyTarget {
  /** The task on whose failed list objects are put that cannot be embedded; null to keep no list. */
  taskId: string | null;
  lock: string;
  sourceNo: number;
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
 * destination's model, tombstones as tombstones. An object that cannot be embedded is carried over as failed; one that
 * was deleted or written again while the model was waited for is left to whoever brings that. Used by slices, forwards,
 * reconciling and the cut-over alike.
 */
export async function copyObjects(
  deps: ActivityDependencies,
  target: CopyTarget,
  objects: readonly BehindObject[],
): Promise<CopyCounts> {
  const known = new Map(objects.flatMap(({ id, destHash }) => (destHash === null ? [] : [[id, destHash]])));
  const counts = noCounts();
  for await (const portion of prepareCopies(deps, target, objects, known)) {
    addCounts(counts, await copyPortion(deps, target, objects, portion));
  }
  return counts;
}

async function copyPortion(
  deps: ActivityDependencies,
  target: CopyTarget,
  objects: readonly BehindObject[],
  { writes, failed }: Copies,
): Promise<CopyCounts> {
  const { background: db } = deps;
  const { taskId, lock, dest, signal, giveWay = atOnce } = target;
  const ids = new Set(writes.map(({ id }) => id));
  const deletedOnce = objects.filter((object) => ids.has(object.id) && wasDeletedOnce(object)).map(({ id }) => id);
  const listed = (items: FailedItem[]) => (taskId === null ? null : { taskId, items });
  const outcome = await giveWay(signal, () => writeCopies(db, lock, dest.no, writes, deletedOnce, listed([...failed])));
  if (outcome.changed.length > 0) {
    const changed = new Set(outcome.changed);
    const again = objects.filter(({ id }) => changed.has(id));
    for await (const portion of prepareCopies(deps, target, again)) {
      await writeCopies(db, lock, dest.no, portion.writes, deletedOnce, listed(portion.failed));
      failed.push(...portion.failed);
    }
  }
  if (taskId !== null) {
    countFailedItems(deps.metrics, failed);
    const failedIds = new Set(failed.map(({ objectId }) => objectId));
    const done = [...ids].filter((id) => !failedIds.has(id));
    // An earlier try may have failed them.
    if (await hasFailed(db, taskId)) await clearFailed(db, taskId, done);
  }
  const tombstones = writes.filter(({ kind }) => kind === 'tombstone').length;
  return { copied: ids.size - tombstones - failed.length, tombstones, failed: failed.length };
}

export interface Copies {
  writes: ObjectWrite[];
  failed: FailedItem[];
}

/**
 * Embeds stored objects for the destination, as they are finished; what cannot be embedded is to be written as failed.
 * `known` are the hashes of what it has vectors of.
 */
export async function* prepareCopies(
  { background: db, client, models, loader, settings }: ActivityDependencies,
  { sourceNo, dest, signal }: Pick<CopyTarget, 'sourceNo' | 'dest' | 'signal'>,
  objects: readonly StoredObject[],
  known?: ReadonlyMap<string, string>,
): AsyncGenerator<Copies, void> {
  const waits = waitsOf(client);
  const embedder = watched(models.embedder(dest.model), waits);
  const byId = new Map(objects.map((object) => [object.id, object]));
  const orderOf = (id: string) => {
    const { version = 0, accepted = null } = byId.get(id) ?? {};
    return { version, accepted: accepted ?? undefined };
  };
  const deleted = objects.filter((object) => object.deleted);
  let tombstones: ObjectWrite[] = deleted.map(({ id }) => ({ kind: 'tombstone', id, ...orderOf(id) }));
  const portions = prepareObjects(
    objects.filter((object) => !object.deleted).map((object) => ({ ...object, metadata: object.metadata as never })),
    {
      config: dest,
      embedder,
      loader,
      signal,
      known: known && (async () => known),
      pause: pauseWithin(settings.modelPatienceMs),
      wait: createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder }),
      stillWanted: (ids) => notOvertaken(db, sourceNo, new Map(ids.map((id) => [id, orderOf(id).version]))),
    },
  );
  for await (const { ready, failed } of portions) {
    const failures = failed.flatMap(({ objectId }) => byId.get(objectId) ?? []);
    yield {
      failed,
      writes: [
        ...tombstones,
        ...failures.map(({ id, payload, metadata, originalId, uri }) => ({
          kind: 'failed' as const,
          id,
          ...orderOf(id),
          payload,
          metadata,
          originalId,
          uri,
        })),
        ...ready.map((object) => preparedWrite(object, orderOf(object.id))),
      ],
    };
    tombstones = [];
  }
}
