import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { setAlias } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import {
  type BehindObject,
  markChanges,
  readBehind,
  readByIds,
  readChanged,
  wasDeletedOnce,
  writeCopies,
} from '../../src/store/protocol/copy.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { endDraining, setDraining } from '../../src/store/protocol/draining.ts';
import { lockPair, releaseLock } from '../../src/store/protocol/lock-pair.ts';
import { removeLeftOvers } from '../../src/store/protocol/origins.ts';
import { compareIndexes, differencesOf } from '../../src/store/protocol/verify.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import { type ObjectWrite, storedHashes, writeLive } from '../../src/store/protocol/write.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import {
  content,
  createIndex,
  lockRequest,
  orphanParts,
  partsOf,
  rowsOf,
  tombstone,
  unchanged,
  uniqueName,
} from '../store/builders.ts';

/** The store's functions as the simulation calls them: a test may break one to see that it is missed. */
export const STEPS = {
  writeLive,
  markChanges,
  readBehind,
  readByIds,
  readChanged,
  writeCopies,
  setDraining,
  cutOver,
  /** Everything of the source is in the destination up to the mark. */
  verify: async (db: Db, pair: { sourceNo: number; destNo: number }, mark: number) =>
    differencesOf(await compareIndexes(db, pair, mark)).length === 0,
  /** The version under which a forward writes. */
  forwardVersion: async (_db: Db, version: number): Promise<number> => version,
};
export type Steps = typeof STEPS;

/** Where a process that runs the protocol can be stopped for others, or die: before or after each of its transactions. */
export type Pause = (where: string) => Promise<'go' | 'die'>;

/** Thrown where a process is told to die. Within a transaction, that undoes it. */
export class ProcessDied extends Error {}

/** What was accepted, in the order of its versions. */
interface Accepted {
  id: string;
  version: number;
  text: string | null;
}

export interface World {
  db: Db;
  steps: Steps;
  alias: string;
  accepted: Accepted[];
  /** The indexes that came to serve. */
  cutOvers: number[];
}

const KEYS = ['a', 'b', 'c', 'd', 'e'];

export async function createWorld(db: Db, steps: Steps): Promise<World> {
  const alias = uniqueName('live');
  const first = await createIndex(db);
  await setAlias(db, alias, first.name);
  return { db, steps, alias, accepted: [], cutOvers: [] };
}

/** Runs `work`, again from its start as long as it dies, as Temporal does with an activity. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error;
    }
  }
}

function stepper(pause: Pause) {
  const at = async (where: string) => {
    if ((await pause(where)) === 'die') throw new ProcessDied(where);
  };
  return async <T>(where: string, work: () => Promise<T>): Promise<T> => {
    await at(`before ${where}`);
    const result = await work();
    await at(`after ${where}`);
    return result;
  };
}

/** Two texts only per object, so that content often is what is stored already. */
const partsFor = (text: string) => partsOf(text.endsWith('0') ? [1] : [2, 3]);

async function prepare(db: Db, index: IndexRow, writes: readonly Accepted[], reuse: boolean): Promise<ObjectWrite[]> {
  const known = reuse
    ? await storedHashes(
        db,
        index.no,
        writes.map(({ id }) => id),
      )
    : new Map<string, string>();
  return writes.map(({ id, version, text }) => {
    if (text === null) return tombstone(id, version);
    if (known.get(id) === `hash of ${text}`) return unchanged(id, version, text);
    return content(id, version, { text, parts: partsFor(text), metadata: { version } });
  });
}

/** A live task, as the activity does it: prepare, write, again where that moved, drained or changed, then forward. */
export async function liveWrite(world: World, changes: readonly { key: number; text: number | null }[], pause: Pause) {
  const { db, steps } = world;
  const step = stepper(pause);
  const version = await nextVersion(db);
  const writes = [...new Map(changes.map(({ key, text }) => [key, text]))].map(([key, text]): Accepted => {
    const id = KEYS[key % KEYS.length] as string;
    return { id, version, text: text === null ? null : `${id} says ${text % 2}` };
  });
  world.accepted.push(...writes);
  const to = await untilDone(async () => {
    for (let reuse = true; ; ) {
      const index = await step('prepare', () => resolveIndex(db, world.alias));
      const objects = await prepare(db, index, writes, reuse);
      const outcome = await step('write', () =>
        steps.writeLive(db, { target: world.alias, indexNo: index.no, objects, onReindex: 'forward' }),
      );
      if (outcome.kind !== 'written') {
        await pause(`held back: ${outcome.kind}`);
        continue;
      }
      if (outcome.changed.length === 0) return outcome.forwardTo && { ...outcome.forwardTo, sourceNo: index.no };
      reuse = false;
    }
  });
  if (!to) return;
  // A forward may be lost for good: then it is the reindex that brings the write.
  await step('forward', async () => {
    const pair = { sourceNo: to.sourceNo, destNo: to.indexNo };
    const behind = await steps.readByIds(
      db,
      pair,
      writes.map(({ id }) => id),
    );
    const versions = await Promise.all(behind.map((object) => steps.forwardVersion(db, object.version)));
    await pause('embed for the forward');
    const renamed = behind.map((object, at) => ({ ...object, version: versions[at] as number }));
    await copy(world, to.lock, to.indexNo, renamed, steps.writeCopies);
  }).catch((error) => {
    if (!(error instanceof ProcessDied) && error.type !== 'LockLost') throw error;
  });
}

async function copy(
  world: World,
  lock: string,
  destNo: number,
  objects: BehindObject[],
  writeTo: Steps['writeCopies'],
) {
  const { db } = world;
  const writes = objects.map(({ id, version, deleted, payload }) => ({
    id,
    version,
    text: deleted ? null : String(payload),
  }));
  const asRow = { no: destNo } as IndexRow;
  const metadata = new Map(objects.map((object) => [object.id, object.metadata]));
  const withMetadata = (prepared: ObjectWrite[]) =>
    prepared.map((one) => (one.kind === 'tombstone' ? one : { ...one, metadata: metadata.get(one.id) ?? {} }));
  const deletedOnce = objects.filter(wasDeletedOnce).map(({ id }) => id);
  const first = withMetadata(await prepare(db, asRow, writes, true));
  const outcome = await writeTo(db, lock, destNo, first, deletedOnce);
  const changed = new Set(outcome.changed);
  const again = await prepare(
    db,
    asRow,
    writes.filter(({ id }) => changed.has(id)),
    false,
  );
  if (again.length > 0) await writeTo(db, lock, destNo, withMetadata(again), deletedOnce);
}

/** One attempt of a reindex of what serves into a new index; false when it gave up, and released its lock or died. */
async function attempt(world: World, dest: IndexRow, pause: Pause): Promise<boolean> {
  const { db, steps, alias } = world;
  const step = stepper(pause);
  const request = lockRequest(alias, dest.name, { taskId: `reindex ${dest.no}`, lock: randomUUID() });
  const locked = await step('lock', () => lockPair(db, request));
  if (locked.kind !== 'locked') return false;
  const { lock } = request;
  const pair = { sourceNo: locked.sourceNo, destNo: locked.destNo };
  let { mark } = locked;
  const reconcile = async () => {
    const until = await step('mark', () => steps.markChanges(db, pair.sourceNo));
    const objects = await step('read changes', () => steps.readChanged(db, pair, { after: mark, until }, 1_000));
    await step('copy changes', () => copy(world, lock, pair.destNo, objects, steps.writeCopies));
    mark = until;
  };
  for (let after: string | null = null; ; ) {
    const range: { after: string | null; until: null } = { after, until: null };
    const objects: BehindObject[] = await step('read a slice', () => steps.readBehind(db, pair, range, 2));
    if (objects.length === 0) break;
    await step('copy a slice', () => copy(world, lock, pair.destNo, objects, steps.writeCopies));
    after = objects.at(-1)?.id ?? null;
  }
  await reconcile();
  await step('remove left-overs', () => removeLeftOvers(db, lock, pair, { own: false, after: null, limit: 100 }));
  if (!(await step('verify', () => steps.verify(db, pair, mark)))) {
    await releaseLock(db, lock);
    return false;
  }
  const cut = () => steps.cutOver(db, { lock, ...pair, mark, alias, mirror: null });
  for (let tries = 0; tries < 4; tries++) {
    await step('drain', () => steps.setDraining(db, lock, 60));
    await reconcile();
    // Dies after it as well: whoever comes next asks the same again.
    const outcome = await untilDone(() => step('cut over', cut));
    if (outcome.kind === 'done') {
      world.cutOvers.push(dest.no);
      return true;
    }
    await step('let the writers go', () => endDraining(db, lock));
  }
  await releaseLock(db, lock);
  return false;
}

/** A reindex that is tried again whenever its process dies: its earlier lock is taken over, its work gone on with. */
export async function reindex(world: World, pause: Pause): Promise<void> {
  const dest = await untilDone(() => createIndex(world.db));
  for (let tries = 0; tries < 5; tries++) {
    const done = await attempt(world, dest, pause).catch((error) => {
      if (error instanceof ProcessDied) return false;
      throw error;
    });
    if (done || (await resolveIndex(world.db, world.alias)).no === dest.no) return;
  }
  // It never came to an end: what it held is released, as when its lock expires.
  await sql`delete from reembed.reindex_locks where dest_no = ${dest.no}`.execute(world.db);
}

/** What is wrong with what serves now, compared with all that was accepted. */
export async function findWrong(world: World): Promise<string[]> {
  const { db } = world;
  const index = await resolveIndex(db, world.alias);
  const rows = new Map((await rowsOf(db, index.no)).map((row) => [row.id, row]));
  const newest = new Map<string, Accepted>();
  for (const one of world.accepted) {
    const before = newest.get(one.id);
    if (!before || before.version < one.version) newest.set(one.id, one);
  }
  const wrong = (await orphanParts(db, index.no)).map((id) => `orphaned part of ${id}`);
  for (const id of rows.keys()) if (!newest.has(id)) wrong.push(`${id} was never written`);
  for (const { id, version, text } of newest.values()) {
    const row = rows.get(id);
    const isThere = row !== undefined && !row.deleted;
    if (text === null && isThere) wrong.push(`${id} is resurrected`);
    if (text === null) continue;
    if (!isThere) wrong.push(`${id} is lost`);
    else if (row.payload !== text || (row.metadata as { version: number }).version !== version)
      wrong.push(`${id} is stale`);
    else if (
      row.parts.join() !==
      partsFor(text)
        .map(({ embedding }) => embedding[0])
        .join()
    ) {
      wrong.push(`${id} has the parts of another content`);
    }
  }
  return wrong;
}
