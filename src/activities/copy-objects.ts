import { ReembedError } from '../contract/errors.ts';
import { jsonBytes } from '../contract/json.ts';
import type { CopyCounts } from '../contract/reindex-activities.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { countFailedItems } from '../metrics/activities.ts';
import { storedPayloads } from '../pipeline/payload-memory.ts';
import { prepareObjects } from '../pipeline/prepare.ts';
import type { PreparedObject } from '../pipeline/prepared.ts';
import { lacksText } from '../pipeline/ready.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import { type BehindObject, type StoredObject, wasDeletedOnce, writeCopies } from '../store/protocol/copy.ts';
import type { Lock } from '../store/protocol/locks.ts';
import type { ObjectWrite } from '../store/protocol/object-write.ts';
import { notOvertaken } from '../store/protocol/versions.ts';
import type { IndexRow } from '../store/schema.ts';
import { clearFailed, hasFailed } from '../store/staging.ts';
import { createOffline, type Offline } from './batches/offline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { type CopiedObject, withOwnParts } from './own-parts.ts';
import { preparedWrite } from './prepared-write.ts';
import { findReuse, type Reuse } from './reuse.ts';
import { countTexts, metered } from './support/meter.ts';
import { createPatience, pauseWithin } from './support/patience.ts';
import { waitsOf, watched } from './support/waits.ts';
import { WRITE_EVERY_MS } from './support/write-every.ts';
import { atOnce, type Yielding } from './support/yield-to-live-traffic.ts';

export interface CopyTarget {
  /** The task that pays, and whose failed list gets the objects that cannot be embedded; null for none. */
  taskId: string | null;
  lock: string;
  /** The lock, if it was just read. Whether it is still held is checked by each write. */
  held?: Lock | undefined;
  sourceNo: number;
  dest: IndexRow;
  signal: AbortSignal;
  /** Absent if others wait for the copies. */
  yielding?: Yielding;
  /** The model is not called: its answers are stored. Objects without all of them are skipped. */
  offline?: Pick<Parameters<typeof createOffline>[0], 'answers' | 'onTexts'> | undefined;
}

export const noCounts = (): CopyCounts => ({ copied: 0, tombstones: 0, failed: 0, reused: 0 });

export function addCounts(sum: CopyCounts, counts: CopyCounts): void {
  sum.copied += counts.copied;
  sum.tombstones += counts.tombstones;
  sum.failed += counts.failed;
  sum.reused = (sum.reused ?? 0) + (counts.reused ?? 0);
}

/**
 * Returns how many batches in a row have failed whole, after one more. A batch says something about the model only if
 * it has objects that the source could embed.
 */
export function failedInRow(before: number, objects: readonly BehindObject[], { copied, failed }: CopyCounts): number {
  if (copied > 0) return 0;
  const isTelling = objects.some(({ deleted, sourceFailed }) => !deleted && !sourceFailed);
  return failed > 0 && isTelling ? before + 1 : before;
}

export async function requireIndex(db: Db, indexNo: number): Promise<IndexRow> {
  const index = await findIndexByNo(db, indexNo);
  if (!index) throw new ReembedError('IndexNotFound', 'the index was deleted');
  return index;
}

/**
 * Copies stored objects to the index that is being built, with the source's versions: content is embedded with the
 * destination's model, tombstones stay tombstones. An object that cannot be embedded is copied as failed. One that was
 * deleted or written again during the wait for the model is skipped, since that change is copied separately. Used by
 * slices, forwards, reconciling and the cut-over.
 */
export async function copyObjects(
  deps: ActivityDependencies,
  target: CopyTarget,
  objects: readonly BehindObject[],
): Promise<CopyCounts> {
  const reuse = await findReuse(deps.background, target, objects);
  const counts = noCounts();
  const bytes = jsonBytes(objects.map(({ payload }) => payload));
  // A cut-over and its writers do not wait for memory.
  const memory = target.yielding
    ? await storedPayloads.hold(bytes, { signal: target.signal })
    : storedPayloads.count(bytes);
  try {
    for await (const portion of prepareCopies(deps, target, objects, reuse)) {
      addCounts(counts, await copyPortion(deps, target, objects, portion));
    }
    return counts;
  } finally {
    memory.release();
  }
}

async function copyPortion(
  deps: ActivityDependencies,
  target: CopyTarget,
  objects: readonly BehindObject[],
  { writes, failed, reused, truncated }: Copies,
): Promise<CopyCounts> {
  const { background: db } = deps;
  const { taskId, lock, dest, signal, yielding = atOnce } = target;
  const ids = new Set(writes.map(({ id }) => id));
  const deletedOnce = objects.filter((object) => ids.has(object.id) && wasDeletedOnce(object)).map(({ id }) => id);
  const listed = (items: FailedItem[]) => (taskId === null ? null : { taskId, items });
  const outcome = await yielding(signal, () =>
    writeCopies(db, lock, dest.no, writes, deletedOnce, listed([...failed])),
  );
  if (outcome.changed.length > 0) {
    const changed = new Set(outcome.changed);
    const again = objects.filter(({ id }) => changed.has(id));
    for await (const portion of prepareCopies(deps, target, again)) {
      await writeCopies(db, lock, dest.no, portion.writes, deletedOnce, listed(portion.failed));
      failed.push(...portion.failed);
    }
  }
  if (taskId !== null) {
    await countTexts(deps, taskId, dest.model, { reused, truncated });
    countFailedItems(deps.metrics, failed);
    const failedIds = new Set(failed.map(({ objectId }) => objectId));
    const done = [...ids].filter((id) => !failedIds.has(id));
    // An earlier attempt may have failed them.
    if (await hasFailed(db, taskId)) await clearFailed(db, taskId, done);
  }
  const tombstones = writes.filter(({ kind }) => kind === 'tombstone').length;
  return { copied: ids.size - tombstones - failed.length, tombstones, failed: failed.length, reused };
}

export interface Copies {
  writes: ObjectWrite[];
  failed: FailedItem[];
  /** Texts for which the model was not asked. */
  reused: number;
  /** Texts that the model did not read to their end. */
  truncated: number;
}

/**
 * Embeds stored objects for the destination and yields them as they are finished; objects that cannot be embedded are
 * written as failed. Parts that came with an object stay.
 */
export async function* prepareCopies(
  deps: ActivityDependencies,
  target: Pick<CopyTarget, 'taskId' | 'sourceNo' | 'dest' | 'signal' | 'offline'>,
  objects: readonly StoredObject[],
  reuse?: Reuse | undefined,
): AsyncGenerator<Copies, void> {
  const deleted = objects.filter((object) => object.deleted);
  let tombstones: ObjectWrite[] = deleted.map(({ id, version, accepted }) => {
    return { kind: 'tombstone', id, version, accepted: accepted ?? undefined };
  });
  const live = objects.filter((object) => !object.deleted);
  for await (const group of withOwnParts(deps.background, target, live)) {
    for await (const { writes, ...rest } of prepareGroup(deps, target, group, reuse)) {
      yield { ...rest, writes: [...tombstones, ...writes] };
      tombstones = [];
    }
  }
}

async function* prepareGroup(
  deps: ActivityDependencies,
  {
    taskId,
    sourceNo,
    dest,
    signal,
    offline: answered,
  }: Pick<CopyTarget, 'taskId' | 'sourceNo' | 'dest' | 'signal' | 'offline'>,
  objects: readonly CopiedObject[],
  { known, findVectors }: Partial<Reuse> = {},
): AsyncGenerator<Copies, void> {
  const { background: db, client, models, loader, settings } = deps;
  const waits = waitsOf(client);
  const asked = watched(models.embedder(dest.model), waits);
  const embedder = taskId === null ? asked : metered(asked, deps, taskId, dest.model);
  const { dimensions } = dest.model;
  const offline = answered && createOffline({ ...answered, dimensions, findStored: findVectors });
  const byId = new Map(objects.map((object) => [object.id, object]));
  const orderOf = (id: string) => {
    const { version = 0, accepted = null } = byId.get(id) ?? {};
    return { version, accepted: accepted ?? undefined };
  };
  const portions = prepareObjects(
    objects.map((object) => ({ ...object, metadata: object.metadata as never })),
    {
      config: dest,
      tokenizerDir: settings.tokenizerDir,
      embedder,
      loader,
      signal,
      yieldEveryMs: WRITE_EVERY_MS,
      known: known && (async () => known),
      findVectors,
      pause: pauseWithin(settings.modelPatienceMs),
      wait: createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder }),
      stillWanted: (ids) => notOvertaken(db, sourceNo, new Map(ids.map((id) => [id, orderOf(id).version]))),
      ...offline,
    },
  );
  for await (const { ready, failed, reused, truncated } of portions) {
    const failures = failed.flatMap(({ objectId }) => byId.get(objectId) ?? []);
    yield {
      failed,
      truncated,
      reused: offline ? reused - answeredIn(ready, offline) : reused,
      writes: [
        ...failures.map(({ id, payload, metadata, originalId, uri, hash, ready }) => ({
          kind: 'failed' as const,
          id,
          ...orderOf(id),
          ...{ payload, metadata, originalId, uri },
          hash: ready && lacksText(ready) ? hash : null,
        })),
        ...ready.map((object) => preparedWrite(object, orderOf(object.id))),
      ],
    };
  }
}

/** Counts the texts of objects whose vectors were not stored before, but came with the answers. */
function answeredIn(ready: readonly PreparedObject[], { isAnswered }: Pick<Offline, 'isAnswered'>): number {
  const parts = ready.flatMap((object) => object.parts);
  return parts.filter(({ textKey }) => textKey != null && isAnswered(textKey)).length;
}
