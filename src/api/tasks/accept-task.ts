import { randomUUID } from 'node:crypto';
import type { AuditBody } from '../../contract/audit.ts';
import { invalidField } from '../../contract/errors.ts';
import { HAND_OVER_VERSION, type HandOver } from '../../contract/hand-over.ts';
import type { VectorIndexTaskBody } from '../../contract/index-patch.ts';
import type { SteerBody } from '../../contract/steer-tasks.ts';
import type { SyncBody } from '../../contract/sync-body.ts';
import type { DeleteIndexBody, EvaluateBody, ReindexBody } from '../../contract/task-bodies.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import { requireBatches, requirePrice } from '../../models/prices.ts';
import { requireWritable } from '../../store/admission.ts';
import { claimVectorIndex, findChangeable } from '../../store/change-vector-index.ts';
import { checkApproval, checkEvaluation, onField } from '../../store/evaluations.ts';
import { findIndex, findSameIndex, getIndex, resolveIndex } from '../../store/indexes.ts';
import { destConfigOf, requireSameVersioning } from '../../store/protocol/lock-pair.ts';
import { checkReads } from '../../store/protocol/reads.ts';
import type { IndexRow } from '../../store/schema.ts';
import { getSource } from '../../store/sources/rows.ts';
import { findSameTask, getTracker, type StartableType, startTask } from '../../temporal/index.ts';
import { checkModel } from '../check-model.ts';
import { checkSplitter } from '../check-splitter.ts';
import { createInputHash } from './input-hash.ts';
import type { AcceptDependencies } from './options.ts';

export interface AcceptOptions {
  /** Ends the task with the same id, if there is one, and runs this one instead. */
  ignoreLock?: boolean;
}

/** The same with the name of the caller's token, if it is known. */
export interface CalledOptions extends AcceptOptions {
  by?: string | null;
}

/**
 * Accepts a reindex; `by` is the caller. It refuses what the workflow would find only later: a missing source, a new destination without
 * a model, or one that exists with other settings. Errors: `IndexNotFound`, `IndexExists`, `NameTaken`, `QuerySetNotFound`,
 * `InvalidInput`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptReindex(
  deps: AcceptDependencies,
  body: ReindexBody,
  { by, ...options }: CalledOptions = {},
): Promise<Tracker> {
  const check = async () => {
    const source = await onField('source', () => resolveIndex(deps.db, body.source));
    const dest = await findIndex(deps.db, body.dest);
    if (dest?.no === source.no) throw invalidField('dest', 'must not be the source', `${body.dest} is the source`);
    await checkApproval(deps.db, body.source, body.approve);
    await checkReads(deps.db, body);
    if (body.destModel && deps.models) checkModel(deps.models, body.destModel, 'destModel');
    await checkDestSplitter(body, dest ?? source, deps.tokenizerDir);
    const config = destConfigOf(source, dest, body);
    requireSameVersioning(source, body.dest, config);
    if (dest?.state !== 'deleting') await onField('dest', () => findSameIndex(deps.db, body.dest, config));
    const { model } = config;
    if (body.batchApi) requireBatches(model);
    if (body.budget) requirePrice(body.budget, model, deps.modelPrices);
  };
  return acceptWhole(deps, 'reindex', body, options, check, by == null ? {} : { by });
}

/** Checks how the destination would split texts, if it gets a model or a splitter. Error: `InvalidInput`. */
async function checkDestSplitter(body: ReindexBody, base: IndexRow, tokenizerDir?: string | null): Promise<void> {
  if (!body.destModel && !body.destSplitter) return;
  const config = { model: body.destModel ?? base.model, splitter: body.destSplitter ?? base.splitter };
  await checkSplitter(config, { tokenizerDir, field: 'destSplitter' });
}

/** Accepts the deletion of an index. Errors: `IndexNotFound`, `TaskLocked`, `TemporalUnavailable`. */
export async function acceptDeleteIndex(
  deps: AcceptDependencies,
  body: DeleteIndexBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  // The task deletes this index, not one that has its name by then.
  const index = await findIndex(deps.db, body.index);
  const check = async () => {
    if (!index) await getIndex(deps.db, body.index);
  };
  return acceptWhole(deps, 'delete-index', body, options, check, index ? { indexNo: index.no } : {});
}

/**
 * Accepts an evaluation; everything that could prevent it is checked first. Errors: `IndexNotFound`, `IndexDeleting`,
 * `QuerySetNotFound`, `InvalidInput`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptEvaluate(
  deps: AcceptDependencies,
  body: EvaluateBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  return acceptWhole(deps, 'evaluate', body, options, async () => void (await checkEvaluation(deps.db, body)));
}

/** Accepts an audit. Errors: `IndexNotFound`, `IndexDeleting`, `SourceNotFound`, `TaskLocked`, `TemporalUnavailable`. */
export async function acceptAudit(
  deps: AcceptDependencies,
  body: AuditBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  const check = async () => {
    const name = body.source === undefined ? body.index : (await getSource(deps.db, body.source)).definition.index;
    await requireWritable(deps.db, name as string);
  };
  return acceptWhole(deps, 'audit', body, options, check);
}

/**
 * Accepts a change of a vector index, and records that it is the last one. Errors: `IndexNotFound`, `IndexDeleting`,
 * `IndexLocked`, `InvalidInput`, `TaskLocked`, `TemporalUnavailable`.
 */
export async function acceptVectorIndex(
  deps: AcceptDependencies,
  body: VectorIndexTaskBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  const taskId = body.taskId ?? randomUUID();
  const besides: Pick<HandOver, 'indexNo'> = {};
  const check = async () => {
    const { no } = await findChangeable(deps.db, body.index, body.vectorIndex);
    await claimVectorIndex(deps.db, no, taskId);
    besides.indexNo = no;
  };
  return acceptWhole(deps, 'vector-index', { ...body, taskId }, options, check, besides);
}

/** Accepts a sync of a source. Errors: `SourceNotFound`, `TaskLocked`, `TemporalUnavailable`. */
export async function acceptSync(
  deps: AcceptDependencies,
  body: SyncBody,
  options: AcceptOptions = {},
): Promise<Tracker> {
  return acceptWhole(deps, 'sync', body, options, async () => void (await getSource(deps.db, body.source)));
}

/** Accepts the steering of many tasks; `by` is the caller. Errors: `TaskLocked`, `TemporalUnavailable`. */
export async function acceptSteer(
  deps: AcceptDependencies,
  body: SteerBody,
  { by, ...options }: CalledOptions = {},
): Promise<Tracker> {
  return acceptWhole(deps, 'steer', body, options, async () => {}, by == null ? {} : { by });
}

/** Accepts a task whose type has no checks other than its body. Errors: `TaskLocked`, `TemporalUnavailable`. */
export async function acceptPlain<T extends StartableType>(
  deps: AcceptDependencies,
  type: T,
  body: TaskInputs[T],
  options: AcceptOptions = {},
): Promise<Tracker> {
  return acceptWhole(deps, type, body, options, async () => {});
}

/** Accepts a task whose input is its body plus API fields. An existing task is not checked: its index may be gone. */
async function acceptWhole<T extends StartableType>(
  deps: AcceptDependencies,
  type: T,
  { taskId: givenId, ...input }: TaskInputs[T],
  options: AcceptOptions,
  check: () => Promise<void>,
  besides: Pick<HandOver, 'by' | 'indexNo'> = {},
): Promise<Tracker> {
  const inputHash = createInputHash({ type, ...input }).digest();
  const there = await findGiven(deps, { type, taskId: givenId, inputHash }, options);
  if (there) return there;
  await check();
  const { client, taskQueue, patienceMs } = deps;
  const taskId = givenId ?? randomUUID();
  const started = await startTask(client, {
    type,
    taskId,
    taskQueue,
    patienceMs,
    inputHash,
    input: input as TaskInputs[T],
    handOver: Object.keys(besides).length === 0 ? undefined : { v: HAND_OVER_VERSION, ...besides },
    ...options,
  });
  return started.existing ? getTracker(client, taskId) : started.tracker;
}

/** Returns the existing task that a call names, so that a repeated call is cheap. */
export async function findGiven(
  { client }: AcceptDependencies,
  wanted: { type: StartableType; taskId: string | undefined; inputHash: string },
  { ignoreLock }: AcceptOptions,
): Promise<Tracker | undefined> {
  const { taskId } = wanted;
  if (taskId === undefined || ignoreLock) return undefined;
  return (await findSameTask(client, { ...wanted, taskId })) ? getTracker(client, taskId) : undefined;
}
