import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { TypedSearchAttributes, type WorkflowIdReusePolicy } from '@temporalio/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { ReembedError } from '../../contract/errors.ts';
import { duplicateText } from '../../contract/failures.ts';
import type { HandOver } from '../../contract/hand-over.ts';
import { listRow } from '../../contract/list-row.ts';
import { laneIdOf, PRIORITY } from '../../contract/names.ts';
import { type ListedFacts, searchAttributes } from '../../contract/search-attributes.ts';
import { factsOf, type StartableType } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import { callTemporal, isType, PATIENCE_MS } from '../call.ts';
import {
  type InternalConnectionLike,
  InternalConnectionLikeSymbol,
  InternalWorkflowStartOptionsSymbol,
} from '../sdk-internals.ts';
import { trackerOfRow } from './list-row.ts';
import type { StartTaskOptions } from './task-options.ts';

const START_TIMEOUT_MS = 10_000;
/** Min. time for a start, even if `patienceMs` is over. */
const MIN_MS = 5_000;
/** Max. concurrent starts of one client: a busy server answers a few in time, but many too late. */
const STARTS_AT_ONCE = 32;
const PAUSE_MS = { first: 100, max: 2_000 } as const;

type AnyInput = Partial<
  TaskInputs['upsert'] &
    TaskInputs['delete'] &
    TaskInputs['reindex'] &
    TaskInputs['job'] &
    TaskInputs['steer'] &
    TaskInputs['evaluate'] &
    TaskInputs['audit'] &
    TaskInputs['vector-index'] &
    TaskInputs['sync']
>;

export interface LaunchOptions extends Omit<StartTaskOptions, 'inputHash' | 'ignoreLock'> {
  inputHash?: string;
  reuse: WorkflowIdReusePolicy;
  /** The ended run of this task that the new one replaces. */
  replaces?: string;
  /** Starts with the same request id are one start, even from several callers. */
  requestId?: string;
  /** How long the start is repeated while the server does not answer, in ms; repeating it starts nothing twice. */
  patienceMs?: number | undefined;
}

/**
 * Starts the workflow of a task, with everything that lists show, and returns its tracker, which is `pending`. Throws
 * the SDK's `WorkflowExecutionAlreadyStartedError` if the id is taken.
 */
export async function launch(client: Client, options: LaunchOptions): Promise<Tracker> {
  const { type, taskId, inputHash, handOver, requestId = randomUUID() } = options;
  const input = options.input as AnyInput;
  const tracker = pendingTracker(type, taskId, input, handOver);
  const staging = handOver?.accepted?.staging;
  // Also for a reindex: its own steps are few, and behind live writes, a backlog of those would keep it from renewing
  // its lock. Its copying has a lower priority.
  const priorityKey = options.priority ?? PRIORITY.live;
  const start: WorkflowStartOptions = {
    workflowId: taskId,
    taskQueue: options.taskQueue,
    args: handOver ? [input, handOver] : [input],
    workflowIdReusePolicy: options.reuse,
    workflowIdConflictPolicy: 'FAIL',
    staticSummary: options.summary ?? factsOf(type).summary(input, itemsOf(input, handOver)),
    priority: { priorityKey, fairnessKey: options.fairnessKey },
    typedSearchAttributes: new TypedSearchAttributes(searchAttributes(listedFacts(tracker, input, options))),
    // The staging id distinguishes this task's items from those of an earlier task with the same id.
    memo: {
      tracker: listRow(tracker),
      ...(inputHash !== undefined && { inputHash }),
      ...(staging !== undefined && { staging }),
    },
    requestEagerStart: mayStartEagerly(client),
    // The SDK's internal option to start a workflow once; its public options have none.
    ...{ [InternalWorkflowStartOptionsSymbol]: { requestId } },
  };
  const call = () => client.workflow.start(factsOf(type).workflow, start);
  const handle = await startPatiently(client, { taskId, patienceMs: options.patienceMs ?? PATIENCE_MS }, (leftMs) =>
    callTemporal(client, taskId, call, { timeoutMs: Math.min(START_TIMEOUT_MS, Math.max(MIN_MS, leftMs)) }),
  );
  return { ...tracker, links: { workflowId: taskId, runId: handle.firstExecutionRunId } };
}

/** Limits by client, so that a burst of starts waits here instead of at the server. */
const limits = new WeakMap<Client, LimitFunction>();

/** Repeats a start, which the server recognizes by its request id. Error: `TemporalUnavailable` with the task's id. */
async function startPatiently<T>(
  client: Client,
  { taskId, patienceMs }: { taskId: string; patienceMs: number },
  start: (leftMs: number) => Promise<T>,
): Promise<T> {
  const limit = limits.get(client) ?? pLimit(STARTS_AT_ONCE);
  limits.set(client, limit);
  // The time in the queue does not count.
  let untilMs: number | undefined;
  const begin = () => {
    untilMs ??= Date.now() + patienceMs;
    return start(untilMs - Date.now());
  };
  for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(PAUSE_MS.max, pauseMs * 2)) {
    try {
      return await limit(begin);
    } catch (error) {
      if (!isType(error, 'TemporalUnavailable')) throw error;
      if (Date.now() + pauseMs > (untilMs ?? 0)) throw unknownOutcome(taskId, error);
    }
    await delay(pauseMs * (0.5 + Math.random()));
  }
}

/** The error of a request that may have succeeded: sending the same id and input again starts no second task. */
export function unknownOutcome(taskId: string, cause: unknown): ReembedError {
  return new ReembedError(
    'TemporalUnavailable',
    `the Temporal server does not answer: the task ${taskId} may have been started; the same id and input can be sent again`,
    { taskId, cause },
  );
}

/**
 * Returns true if workers of this process use the same connection: one of them may then get the first workflow task
 * with the response to the start, without the task queue.
 */
function mayStartEagerly({ connection }: Client): boolean {
  return (connection as InternalConnectionLike)[InternalConnectionLikeSymbol]?.supportsEagerStart === true;
}

/** Builds the tracker of a task that no worker has started yet. */
export function pendingTracker(
  type: StartableType,
  id: string,
  input: AnyInput,
  { previous, accepted, plan, duplicateOf, retired }: Partial<HandOver> = {},
): Tracker {
  const { name } = input;
  const isIgnored = duplicateOf !== undefined && !previous;
  const data: Tracker['data'] = { ...(name !== undefined && { name }), ...(isIgnored && { duplicateOf }) };
  const now = new Date().toISOString();
  return trackerOfRow({
    id,
    type,
    status: isIgnored ? 'ignored' : 'pending',
    ...(isIgnored && { detail: duplicateText(duplicateOf) }),
    parentId: retired?.parentId ?? null,
    createTime: previous?.createTime ?? now,
    updateTime: now,
    attempts: previous?.attempts ?? 0,
    maxAttempts: (plan?.maxAttempts ?? input.maxAttempts ?? 3) + (previous?.attempts ?? 0),
    errors: previous?.errors ?? [],
    steering: previous?.steering ?? [],
    data: previous?.data ?? data,
    version: accepted?.version ?? null,
    progress: {
      done: 0,
      total: previous?.progress.total ?? accepted?.total ?? 0,
      failed: 0,
      perSecond: 0,
      etaSeconds: null,
    },
  });
}

function indexesOf(input: AnyInput): string[] {
  const { index, source, dest, left, right, filter } = input;
  return [index, source, dest, left, right, filter?.index].filter((name) => name !== undefined);
}

/** Returns what lists show of a task before a worker has started it. */
function listedFacts(
  { type, status, parentId }: Tracker,
  input: AnyInput,
  { replaces, handOver, taskQueue }: Pick<LaunchOptions, 'replaces' | 'handOver' | 'taskQueue'>,
): ListedFacts {
  const { name } = input;
  const plan = handOver?.plan;
  const isParallel = plan?.onDuplicate === 'parallel' && name !== undefined;
  return {
    type,
    status,
    parentId,
    ...(name === undefined ? { indexes: indexesOf(input) } : { jobName: name }),
    jobLane: isParallel ? laneIdOf(taskQueue, name, plan.keyHash) : undefined,
    createTime: handOver?.previous?.createTime,
    replaces,
  };
}

/** Returns how many items a task has; undefined for types without items. */
function itemsOf(input: AnyInput, handOver: HandOver | undefined): number | undefined {
  return handOver?.accepted?.total ?? (input.items ?? input.ids)?.length;
}
