import type { WriteChunkRequest } from '../contract/activities.ts';
import type { Deletion, Item } from '../contract/objects.ts';
import type { FailedItem } from '../contract/tasks.ts';
import { prepareObjects } from '../pipeline/prepare.ts';
import { readyOf } from '../pipeline/ready.ts';
import type { ObjectWrite } from '../store/protocol/object-write.ts';
import { notOvertaken } from '../store/protocol/versions.ts';
import type { IndexRow } from '../store/schema.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { preparedWrite } from './prepared-write.ts';
import { reuseWithin } from './reuse.ts';
import { isLocal } from './support/heartbeat.ts';
import { createPatience, pauseWithin } from './support/patience.ts';
import { waitsOf, watched } from './support/waits.ts';
import { WRITE_EVERY_MS } from './support/write-every.ts';

/** Max wait of a local activity for the limits of a model; after that a regular activity takes over. */
const LOCAL_WAIT_MS = 1_000;

/** Items of a batch that are ready to be written. */
export interface Portion {
  objects: ObjectWrite[];
  failed: FailedItem[];
  /** Texts for which the model was not asked. */
  reused: number;
  /** Texts that the model did not read to their end. */
  truncated: number;
}

interface PrepareWritesOptions {
  deps: ActivityDependencies;
  request: Pick<WriteChunkRequest, 'kind' | 'version'>;
  signal: AbortSignal;
  /** What is stored with the hash of an item is taken for that item, and only its metadata is written. */
  reuse: boolean;
  /** Their version was drawn a moment ago, so that hardly one is overtaken: no look before the first call of the model. */
  areFresh: boolean;
}

/** Embeds items for an index, and yields their writes as they are ready. A deletion needs no preparation. */
export async function* prepareWrites(
  items: readonly (Item & Deletion)[],
  index: IndexRow,
  { deps, request, signal, reuse, areFresh }: PrepareWritesOptions,
): AsyncGenerator<Portion, void> {
  const { db, client, models, loader, sleep, settings } = deps;
  const { kind, version: taskVersion } = request;
  const versions = new Map(items.map((item) => [item.id, item.version ?? taskVersion]));
  const versionOf = (id: string) => versions.get(id) ?? taskVersion;
  const orderOf = (id: string) => ({
    version: versionOf(id),
    accepted: index.versioning === 'external' ? taskVersion : undefined,
  });
  if (kind === 'delete') {
    const objects = items.map(({ id }) => ({ kind: 'tombstone' as const, id, ...orderOf(id) }));
    yield { objects, failed: [], reused: 0, truncated: 0 };
    return;
  }
  const waits = waitsOf(client);
  const embedder = watched(models.embedder(index.model), waits);
  const ready = items.map((item) => (item.parts ? { ...item, ready: readyOf(item, index) } : item));
  const portions = prepareObjects(ready, {
    config: index,
    tokenizerDir: settings.tokenizerDir,
    embedder,
    loader,
    sleep,
    signal,
    maxWaitMs: isLocal() ? LOCAL_WAIT_MS : undefined,
    yieldEveryMs: isLocal() ? undefined : WRITE_EVERY_MS,
    ...(reuse ? reuseWithin(db, index) : {}),
    pause: pauseWithin(settings.modelPatienceMs),
    wait: createPatience(signal, waits, { patienceMs: settings.modelPatienceMs, embedder }),
    areFresh,
    stillWanted: (ids) => notOvertaken(db, index.no, new Map(ids.map((id) => [id, versionOf(id)]))),
  });
  const originals = new Map(items.map(({ id, originalId = null }) => [id, originalId]));
  const overtakenWrite = (id: string): ObjectWrite => {
    return { kind: 'overtaken', id, ...orderOf(id), originalId: originals.get(id) ?? null };
  };
  /** Separates items that could not be embedded into failed ones and those overtaken by a newer version. */
  const sortOut = async (unprepared: readonly FailedItem[]) => {
    if (unprepared.length === 0) return { failed: [], overtaken: [] };
    const ids = unprepared.map(({ objectId }) => objectId);
    const wanted = await notOvertaken(db, index.no, new Map(ids.map((id) => [id, versionOf(id)])));
    return {
      failed: unprepared.filter(({ objectId }) => wanted.has(objectId)),
      overtaken: ids.filter((id) => !wanted.has(id)),
    };
  };
  for await (const { ready, failed: unprepared, dropped, ...texts } of portions) {
    const { failed, overtaken } = await sortOut(unprepared);
    const objects = ready.map((object) => preparedWrite(object, orderOf(object.id)));
    yield { objects: [...objects, ...[...dropped, ...overtaken].map(overtakenWrite)], failed, ...texts };
  }
}
