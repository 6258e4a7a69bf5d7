import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { findSameTask, getTracker, type StartableType, startTask } from '../../client/temporal/index.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { SteerBody } from '../../contract/steer-tasks.ts';
import type { DeleteBody, DeleteIndexBody, ReindexBody, Tracker, UpsertBody } from '../../contract/tasks.ts';
import { type Accepted, HAND_OVER_VERSION, type HandOver, type TaskInputs } from '../../contract/workflow-inputs.ts';
import { Pace } from '../../cpu/pace.ts';
import type { Registry } from '../../jobs/registry.ts';
import { admitItems, requireWritable } from '../../store/admission.ts';
import type { Db } from '../../store/database.ts';
import { findIndex, resolveIndex } from '../../store/indexes.ts';
import { dropStaged, hasFailed } from '../../store/staging.ts';
import { checkModel, type ModelMaker } from '../check-model.ts';
import { createInputHash } from './input-hash.ts';

export interface AcceptDependencies {
  client: Client;
  db: Db;
  /** Of the workflows. */
  taskQueue: string;
  /** The jobs there are; without it the worker that takes a job checks its name, input and options. */
  registry?: Registry | undefined;
  /** Checks the model of a new destination; without it the worker does that. */
  models?: ModelMaker | undefined;
}

export interface AcceptOptions {
  /** End the task of the same id, if there is one, and run this instead. */
  ignoreLock?: boolean;
}

/** What of a live write is no item. */
export type LiveWriteOptions = Omit<UpsertBody, 'items' | 'ignoreFailedItems'> & { ignoreFailedItems?: boolean };

/**
 * Accepts an upsert or a delete: checks the items against the index, gives them their version, stages them and starts
 * the task. The same id with the same items is the task that is there. Returns its tracker.
 * Errors: `IndexNotFound`, `IndexDeleting`, `InvalidInput`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptItems(
  deps: AcceptDependencies,
  work: { type: 'upsert'; body: UpsertBody } | { type: 'delete'; body: DeleteBody },
  options: AcceptOptions = {},
): Promise<Tracker> {
  const { type } = work;
  const { items, ...rest } =
    work.type === 'upsert' ? work.body : { ...work.body, items: work.body.ids, ids: undefined };
  const { taskId: givenId, ...writeOptions } = writeOptionsOf(rest);
  const hash = createInputHash({ type, ...writeOptions });
  const pace = new Pace();
  for (const item of items) {
    hash.add(item);
    await pace.breathe();
  }
  const inputHash = hash.digest();
  const there = await findGiven(deps, { type, taskId: givenId, inputHash }, options);
  if (there) return there;

  const taskId = givenId ?? randomUUID();
  const index = await requireWritable(deps.db, rest.index);
  const staging = newStaging(taskId);
  const field = type === 'upsert' ? 'items' : 'ids';
  const accepted = await admitItems(deps.db, { staging, index, items, field }).catch(async (error) => {
    await dropStaged(deps.db, staging).catch(() => {}); // the first error is the one to tell
    throw error;
  });
  return startStaged(deps, {
    type,
    taskId,
    isNamed: givenId !== undefined,
    inputHash,
    input: writeOptions,
    accepted,
    ...options,
  });
}

/** The options of a live write alone, in one order, whatever else comes with them. */
export function writeOptionsOf({ taskId, index, onReindex, ignoreFailedItems, maxAttempts }: LiveWriteOptions) {
  return { taskId, index, onReindex, ignoreFailedItems, maxAttempts };
}

/** One acceptance's own: two with the same task id, at once, must not mix their items. */
export function newStaging(taskId: string): string {
  return `${taskId}/${randomUUID()}`;
}

export interface StagedTask extends AcceptOptions {
  type: 'upsert' | 'delete';
  taskId: string;
  /** The caller has given it its id, which an earlier one may have had. */
  isNamed: boolean;
  inputHash: string;
  input: TaskInputs['upsert'];
  accepted: Accepted;
}

/** Starts the task of items that are staged. They are dropped again when there is such a task already, or none starts. */
export async function startStaged(deps: AcceptDependencies, task: StagedTask): Promise<Tracker> {
  const { client, db, taskQueue } = deps;
  const { accepted, taskId, ignoreLock = false } = task;
  const { staging } = accepted;
  try {
    // A task that is replaced may add to its failed list until it has ended.
    const forget = task.isNamed && (ignoreLock || (await hasFailed(db, taskId)));
    const handOver: HandOver = { v: HAND_OVER_VERSION, accepted, ...(forget && { forget }) };
    const started = await startTask(client, { ...task, handOver, taskQueue });
    if (!started.existing) return started.tracker;
  } catch (error) {
    if (!(await mayHaveStarted(client, task.taskId, error))) await dropStaged(db, staging);
    throw error;
  }
  await dropStaged(db, staging);
  return getTracker(client, task.taskId);
}

/**
 * A server that did not answer in time may have started the task all the same: its items must stay then. Without an
 * answer to this question either they stay too: rows too many do less harm than a write that is lost.
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

/**
 * Accepts a reindex. What the workflow would find only later is refused here: a source that is not there, a new
 * destination without a model. Errors: `IndexNotFound`, `InvalidInput`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptReindex(
  deps: AcceptDependencies,
  body: ReindexBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  return acceptWhole(deps, 'reindex', body, options, async () => {
    const source = await named('source', () => resolveIndex(deps.db, body.source));
    const dest = await findIndex(deps.db, body.dest);
    if (dest?.no === source.no) throw badField('dest', 'must not be the source', `${body.dest} is the source`);
    if (body.destModel && deps.models) checkModel(deps.models, body.destModel, 'destModel');
    if (dest || body.destModel) return;
    throw badField('destModel', 'needed to create the index', `there is no index ${body.dest}: give its model`);
  });
}

/** Accepts the deletion of an index. Errors: `IndexNotFound`, `TaskLocked`, `TemporalUnavailable`. */
export async function acceptDeleteIndex(
  deps: AcceptDependencies,
  body: DeleteIndexBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  return acceptWhole(deps, 'delete-index', body, options, async () => {
    if (await findIndex(deps.db, body.index)) return;
    throw new ReembedError('IndexNotFound', `there is no index ${body.index}`);
  });
}

/** Accepts the steering of many tasks, for whoever sends it. Errors: `TaskLocked`, `TemporalUnavailable`. */
export async function acceptSteer(
  deps: AcceptDependencies,
  body: SteerBody,
  { by, ...options }: AcceptOptions & { by?: string | null } = {},
): Promise<Tracker> {
  return acceptWhole(deps, 'steer', body, options, async () => {}, by == null ? {} : { by });
}

/** Accepts a task whose body is its input, with what the API adds. A task that is there already needs no check: its index may be gone by now. */
async function acceptWhole<T extends 'reindex' | 'delete-index' | 'steer'>(
  deps: AcceptDependencies,
  type: T,
  { taskId: givenId, ...input }: TaskInputs[T],
  options: AcceptOptions,
  check: () => Promise<void>,
  besides: Pick<HandOver, 'by'> = {},
): Promise<Tracker> {
  const inputHash = createInputHash({ type, ...input }).digest();
  const there = await findGiven(deps, { type, taskId: givenId, inputHash }, options);
  if (there) return there;
  await check();
  const { client, taskQueue } = deps;
  const taskId = givenId ?? randomUUID();
  const started = await startTask(client, {
    type,
    taskId,
    taskQueue,
    inputHash,
    input: input as TaskInputs[T],
    handOver: besides.by === undefined ? undefined : { v: HAND_OVER_VERSION, ...besides },
    ...options,
  });
  return started.existing ? getTracker(client, taskId) : started.tracker;
}

/** The task that a call names and that is there already, so that saying it again costs nothing. */
async function findGiven(
  { client }: AcceptDependencies,
  wanted: { type: StartableType; taskId: string | undefined; inputHash: string },
  { ignoreLock }: AcceptOptions,
): Promise<Tracker | undefined> {
  const { taskId } = wanted;
  if (taskId === undefined || ignoreLock) return undefined;
  return (await findSameTask(client, { ...wanted, taskId })) ? getTracker(client, taskId) : undefined;
}

/** Says which field an index that is not there was named in. */
async function named<T>(field: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof ReembedError) || error.type !== 'IndexNotFound') throw error;
    const issues = [{ path: field, message: error.message }];
    throw new ReembedError('IndexNotFound', `${field}: ${error.message}`, { issues, cause: error });
  }
}

function badField(path: string, message: string, detail: string): ReembedError {
  return new ReembedError('InvalidInput', detail, { issues: [{ path, message }] });
}
