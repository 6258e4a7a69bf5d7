import { ReembedError } from '../../src/contract/errors.ts';
import type { FailedItem } from '../../src/contract/tasks.ts';
import { admitItems, requireWritable } from '../../src/store/admission.ts';
import { type BehindObject, wasDeletedOnce } from '../../src/store/protocol/copy.ts';
import type { ForwardTarget } from '../../src/store/protocol/live-write.ts';
import { requireLock } from '../../src/store/protocol/locks.ts';
import type { ObjectWrite } from '../../src/store/protocol/object-write.ts';
import { notOvertaken } from '../../src/store/protocol/versions.ts';
import { findFinished, finishStaged, readStaged, recordFailed } from '../../src/store/staging.ts';
import { uniqueName } from '../store/builders.ts';
import {
  type Accepted,
  type Change,
  KEYS,
  note,
  ORIGINALS,
  type Pause,
  ProcessDied,
  prepare,
  stepper,
  untilDone,
  type World,
} from './world.ts';

export interface Batch {
  changes: readonly { key: number; text: number | null }[];
  /** Started by hand, with one id for all that a writer starts by hand; else accepted by the API. */
  byHand: boolean;
  /** What the task names: one of the aliases, or the index that is deleted and created again. */
  target: 'first' | 'last' | 'side';
}

interface Item {
  id: string;
  text: string | null;
  version?: number;
}

interface Task {
  taskId: string;
  via: string;
  version: number;
  staging: string;
  total: number;
  indexNo: number | null;
  entries: readonly Accepted[];
}

const isError = (error: unknown, ...types: string[]) => error instanceof ReembedError && types.includes(error.type);

/** Tasks that one client has accepted or starts by hand, one after another. */
export async function write(world: World, batches: readonly Batch[], pause: Pause): Promise<void> {
  const taskId = uniqueName('nightly');
  let starts = 0;
  for (const batch of batches) {
    const via = viaOf(world, batch.target);
    const items = itemsOf(world, via, batch);
    try {
      if (batch.byHand) {
        starts += 1;
        if (starts > 1) note(world, 'second start');
        await startByHand(world, { taskId, start: String(starts), via, items }, pause);
      } else {
        const index = await requireWritable(world.db, via);
        const id = uniqueName('task');
        const accepted = await admitItems(world.db, { staging: id, index, items, field: 'items', name: via });
        const task = { ...accepted, taskId: id, via, indexNo: accepted.indexNo ?? null };
        const entries = accept(world, task, items);
        await forward(world, task, await untilDone(() => carryOut(world, { ...task, entries }, pause)), pause);
      }
    } catch (error) {
      // Between its deletion and the next index of its name there is none.
      if (!isError(error, 'IndexNotFound', 'IndexDeleting') || batch.target !== 'side') throw error;
    }
  }
}

/** Both steps are executed again when the worker dies before the server knows of either. */
async function startByHand(
  world: World,
  { taskId, start, via, items }: { taskId: string; start: string; via: string; items: Item[] },
  pause: Pause,
) {
  const { db, steps } = world;
  const step = stepper(pause);
  const staging = steps.stagingOf(taskId, start);
  let entries: Accepted[] | undefined;
  let task: Omit<Task, 'entries'> | undefined;
  const to = await untilDone(async () => {
    const index = await requireWritable(db, via);
    const request = { staging, index, items, field: 'items', name: via, taskId, version: null, again: false } as const;
    const accepted = await steps.admit(db, request);
    task = { ...accepted, taskId, via, indexNo: accepted.indexNo ?? null };
    entries ??= accept(world, task, items);
    const own = { ...task, entries };
    await step('admit', async () => {});
    return carryOut(world, own, pause);
  });
  await forward(world, task as Omit<Task, 'entries'>, to, pause);
}

function viaOf({ aliases, side }: World, target: Batch['target']): string {
  return target === 'side' ? side.name : (aliases.at(target === 'first' ? 0 : -1) as string);
}

function itemsOf(world: World, via: string, { changes }: Batch): Item[] {
  const isExternal = world.nature.isExternal && via !== world.side.name;
  // A task either writes or deletes.
  const isDelete = changes[0]?.text === null;
  const textOf = (text: number | null) => (isDelete ? null : (text ?? 0));
  return [...new Map(changes.map(({ key, text }) => [key, textOf(text)]))].map(([key, text]) => {
    const id = KEYS[key] as string;
    const version = (world.clientVersions.get(id) ?? 0) + 1;
    if (isExternal) world.clientVersions.set(id, version);
    return { id, text: text === null ? null : `${id} says ${text % 2}`, ...(isExternal ? { version } : {}) };
  });
}

function accept(world: World, task: Omit<Task, 'entries'>, items: readonly Item[]): Accepted[] {
  const { via, indexNo, version } = task;
  const entries = items.map((item): Accepted => ({ via, indexNo, version, ...item, serves: 'must' }));
  world.accepted.push(...entries);
  return entries;
}

function changeOf(world: World, task: Omit<Task, 'entries'>, { id, text, version }: Item): Change {
  const originalId = world.nature.isDerived ? (ORIGINALS[id] ?? null) : null;
  return version === undefined
    ? { id, version: task.version, text, originalId }
    : { id, version, accepted: task.version, text, originalId };
}

type To = (ForwardTarget & { sourceNo: number; ids: string[]; isClean: boolean }) | null;

/** As the activity does: prepare, write, again if it moved, drained or changed. Returns where to forward it. */
async function carryOut(world: World, task: Task, pause: Pause): Promise<To> {
  const { db, steps } = world;
  const { taskId, via, staging, total, entries } = task;
  const step = stepper(pause);
  for (let reuse = true; ; ) {
    const rows = await readStaged<Item>(db, staging, { fromSeq: 0, toSeq: total, limit: total });
    if (rows.length === 0) {
      if (!(await findFinished(db, staging))) world.wrong.push(`the items of ${taskId} are lost`);
      return null;
    }
    const changes = rows.map(({ item }) => changeOf(world, task, item));
    let indexNo: number;
    try {
      const index = await step('prepare', () => steps.requireAccepted(db, via, task.indexNo));
      indexNo = index.no;
      const all = await prepare(world, indexNo, changes, reuse);
      const wanted = await notOvertaken(db, indexNo, new Map(all.map(({ id, version: own }) => [id, own])));
      const isOvertaken = ({ id, kind }: ObjectWrite) => kind !== 'tombstone' && !wanted.has(id);
      const current = all.flatMap((object) => (isOvertaken(object) ? steps.overtaken(object) : object));
      if (all.some(isOvertaken)) note(world, 'overtaken');
      const objects = current.filter(({ kind }) => kind !== 'failed');
      const failed = current.filter(({ kind }) => kind === 'failed');
      const finishes = failed.length === 0 ? staging : null;
      const request = { target: via, indexNo, objects, onReindex: 'forward', finishes } as const;
      const outcome = await step('write', () => steps.writeLive(db, request));
      if (outcome.kind !== 'written') {
        await pause(`held back: ${outcome.kind}`);
        continue;
      }
      await report(world, task, outcome.beyondRetention, 'stale-beyond-retention');
      await report(
        world,
        task,
        failed.map(({ id }) => id),
        'ModelRejected',
      );
      reuse = outcome.changed.length === 0;
      if (!reuse) continue;
      const isClean = failed.length + outcome.beyondRetention.length === 0;
      const ids = changes.map(({ id }) => id);
      return outcome.forwardTo && { ...outcome.forwardTo, sourceNo: indexNo, ids, isClean };
    } catch (error) {
      if (isError(error, 'IndexLocked')) world.wrong.push(`a write to ${via}, which serves, is refused`);
      if (isError(error, 'IndexDeleted', 'IndexDeleting', 'IndexNotFound', 'IndexLocked')) {
        if (task.indexNo !== null) note(world, 'namesake refused');
        for (const entry of entries) entry.serves = 'may';
        return null;
      }
      throw error;
    }
  }
}

async function report(world: World, { taskId, entries }: Task, ids: readonly string[], reason: string) {
  if (ids.length === 0) return;
  const isTooOld = reason === 'stale-beyond-retention';
  note(world, isTooOld ? 'beyond retention' : 'not embedded');
  if (isTooOld && world.nature.isExternal) world.wrong.push(`${ids.join()} is refused for good`);
  for (const entry of entries) if (ids.includes(entry.id)) entry.serves = 'may';
  const failed = ids.map((id) => failedItem(id, 'write', reason));
  await recordFailed(world.db, taskId, failed);
}

/** A forward may be lost: then the reindex brings the write. */
async function forward(world: World, { staging }: Omit<Task, 'entries'>, to: To, pause: Pause): Promise<void> {
  if (!to) return;
  const { db, steps } = world;
  const step = stepper(pause);
  const pair = { sourceNo: to.sourceNo, destNo: to.indexNo };
  await step('forward', async () => {
    const { taskId } = await requireLock(db, to.lock);
    const behind = await steps.readByIds(db, pair, to.ids);
    const versions = await Promise.all(behind.map((object) => steps.forwardVersion(db, object.version)));
    await pause('embed for the forward');
    const renamed = behind.map((object, at) => ({ ...object, version: versions[at] as number }));
    await copy(world, { taskId, lock: to.lock, destNo: to.indexNo }, renamed);
    if (to.isClean) await finishStaged(db, staging, { written: to.ids.length, unchanged: 0, stale: 0, failed: 0 });
  }).catch((error) => {
    if (!(error instanceof ProcessDied) && !isError(error, 'LockLost')) throw error;
  });
}

export interface CopyTo {
  taskId: string;
  lock: string;
  destNo: number;
}

/** Copies objects of a source unchanged, as slices, forwards and reconciliation do. */
export async function copy(
  world: World,
  { taskId, lock, destNo }: CopyTo,
  objects: readonly BehindObject[],
): Promise<void> {
  const { db, steps } = world;
  const changes = objects.map(
    ({ id, version, accepted, deleted, payload, originalId, metadata }): Change => ({
      ...{ id, version, accepted: accepted ?? undefined, originalId, metadata },
      text: deleted ? null : String(payload),
    }),
  );
  const deletedOnce = objects.filter(wasDeletedOnce).map(({ id }) => id);
  const listed = (objects: readonly ObjectWrite[]) => ({
    taskId,
    items: objects.filter(({ kind }) => kind === 'failed').map(({ id }) => failedItem(id, 'embed', 'ModelRejected')),
  });
  const first = await prepare(world, destNo, changes, true);
  const outcome = await steps.writeCopies(db, lock, destNo, first, deletedOnce, listed(first));
  const changed = new Set(outcome.changed);
  const again = changes.filter(({ id }) => changed.has(id));
  const second = await prepare(world, destNo, again, false);
  if (second.length > 0) await steps.writeCopies(db, lock, destNo, second, deletedOnce, listed(second));
}

const failedItem = (objectId: string, stage: 'embed' | 'write', reason: string): FailedItem => ({
  ...{ objectId, stage, reason, detail: reason },
});
