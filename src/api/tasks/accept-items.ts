import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { ReembedError } from '../../contract/errors.ts';
import { type Accepted, HAND_OVER_VERSION, type HandOver } from '../../contract/hand-over.ts';
import type { UpsertBody } from '../../contract/task-bodies.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import { Pace } from '../../cpu/pace.ts';
import { admitItems, requireWritable } from '../../store/admission.ts';
import type { Db } from '../../store/database.ts';
import { dropStaged, hasFailed } from '../../store/staging.ts';
import { getTracker, startTask } from '../../temporal/index.ts';
import type { WriteBody } from '../body/items.ts';
import { type CalledOptions, findGiven } from './accept-task.ts';
import { createInputHash } from './input-hash.ts';
import type { AcceptDependencies } from './options.ts';

/** Options of a live write, without its items. */
export type LiveWriteOptions = Omit<UpsertBody, 'items' | 'ignoreFailedItems'> & { ignoreFailedItems?: boolean };

/**
 * Accepts an upsert or a delete: checks the items against the index, assigns their version, stages them and starts the
 * task. The same id with the same items means the existing task. Returns its tracker.
 * Errors: `IndexNotFound`, `IndexDeleting`, `InvalidInput`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptItems(
  deps: AcceptDependencies,
  { type, body }: { type: 'upsert' | 'delete'; body: WriteBody },
  options: CalledOptions = {},
): Promise<Tracker> {
  const { items, ...rest } = 'items' in body ? body : { ...body, items: body.ids, ids: undefined };
  const { taskId: givenId, ...writeOptions } = writeOptionsOf(rest);
  const hash = createInputHash({ type, ...writeOptions });
  const pace = new Pace();
  for (const item of items) {
    await hash.add(item, pace);
  }
  const inputHash = hash.digest();
  const there = await findGiven(deps, { type, taskId: givenId, inputHash }, options);
  if (there) return there;

  const taskId = givenId ?? randomUUID();
  const index = await requireWritable(deps.db, rest.index);
  const staging = newStaging(taskId);
  const field = type === 'upsert' ? 'items' : 'ids';
  const accepted = await orDrop(deps.db, staging, () =>
    admitItems(deps.db, { staging, index, items, field, name: rest.index }),
  );
  const isNamed = givenId !== undefined;
  return startStaged(deps, { type, taskId, isNamed, inputHash, input: writeOptions, accepted, ...options });
}

/** Stages items, and drops what is staged if that fails. */
export async function orDrop<T>(db: Db, staging: string, stage: () => Promise<T>): Promise<T> {
  try {
    return await stage();
  } catch (error) {
    await dropStaged(db, staging).catch(() => {}); // report the first error
    throw error;
  }
}

/** Picks the options of a live write, in a fixed order. */
export function writeOptionsOf({ taskId, index, onReindex, ignoreFailedItems, maxAttempts }: LiveWriteOptions) {
  return { taskId, index, onReindex, ignoreFailedItems, maxAttempts };
}

/** Returns a unique name: two concurrent calls with the same task id must not mix their items. */
export function newStaging(taskId: string): string {
  return `${taskId}/${randomUUID()}`;
}

export interface StagedTask extends CalledOptions {
  type: 'upsert' | 'delete';
  taskId: string;
  /** True if the caller chose the id, which an earlier task may have used. */
  isNamed: boolean;
  inputHash: string;
  input: TaskInputs['upsert'];
  accepted: Accepted;
}

/** Starts the task of staged items. Drops them if the task already exists or does not start. */
export async function startStaged(deps: AcceptDependencies, task: StagedTask): Promise<Tracker> {
  const { client, db, taskQueue, patienceMs } = deps;
  const { by, taskId, ignoreLock = false } = task;
  const accepted = by == null ? task.accepted : { ...task.accepted, by };
  const { staging } = accepted;
  try {
    // A replaced task may add to its failed list until it has ended.
    const forget = task.isNamed && (ignoreLock || (await hasFailed(db, taskId)));
    const handOver: HandOver = { v: HAND_OVER_VERSION, accepted, ...(forget && { forget }) };
    const started = await startTask(client, { ...task, handOver, taskQueue, patienceMs });
    if (!started.existing) return started.tracker;
  } catch (error) {
    if (!(await mayHaveStarted(client, task.taskId, error))) await dropStaged(db, staging);
    throw error;
  }
  await dropStaged(db, staging);
  return getTracker(client, task.taskId);
}

/**
 * A server that did not answer in time may still have started the task, which then needs its items. If this check gets
 * no answer either, they stay too: extra rows do less harm than a lost write.
 */
async function mayHaveStarted(client: Client, taskId: string, error: unknown): Promise<boolean> {
  if (!(error instanceof ReembedError) || error.type !== 'TemporalUnavailable') return false;
  try {
    await getTracker(client, taskId);
    return true;
  } catch (second) {
    return !(second instanceof ReembedError) || second.type !== 'TaskNotFound';
  }
}
