import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { InternalWorkflowStartOptionsSymbol } from '@temporalio/client/lib/internal.js';
import { type InternalConnectionLike, InternalConnectionLikeSymbol } from '@temporalio/client/lib/types.js';
import { type SearchAttributePair, TypedSearchAttributes, type WorkflowIdReusePolicy } from '@temporalio/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { ReembedError } from '../../contract/errors.ts';
import { standsForText } from '../../contract/failures.ts';
import { listRow } from '../../contract/list-row.ts';
import { laneIdOf, PRIORITY } from '../../contract/names.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { HandOver, TaskInputs } from '../../contract/workflow-inputs.ts';
import { callTemporal, isType, PATIENCE_MS } from './call.ts';
import {
  jobLaneKey,
  jobNameKey,
  taskCreateTimeKey,
  taskIndexKey,
  taskParentKey,
  taskReplacesKey,
  taskStatusKey,
  taskTypeKey,
  WORKFLOW_OF,
} from './names.ts';
import { trackerOfRow } from './rows.ts';
import type { StartableType, StartTaskOptions } from './start.ts';

/** More than this Temporal may refuse. */
const SUMMARY_CHARS = 100;
const START_TIMEOUT_MS = 10_000;
/** A start has this time also where its caller's patience has ended. */
const LEAST_MS = 5_000;
/** Starts that one client sends at once: a busy server answers a few in time, and many too late. */
const STARTS_AT_ONCE = 32;
const PAUSE_MS = { first: 100, most: 2_000 } as const;

type AnyInput = Partial<
  TaskInputs['upsert'] & TaskInputs['delete'] & TaskInputs['reindex'] & TaskInputs['job'] & TaskInputs['steer']
>;

export interface LaunchOptions extends Omit<StartTaskOptions, 'inputHash' | 'ignoreLock'> {
  inputHash?: string;
  reuse: WorkflowIdReusePolicy;
  /** The ended run of this task that the new one takes the place of. */
  replaces?: string;
  /** Starts with the same one are one start, however many callers there are. */
  requestId?: string;
  /** How long the start is repeated while the server does not answer; what was started before is found. */
  patienceMs?: number;
}

/**
 * Starts the workflow of a task with all that lists show of it, and returns its tracker as it is then: `pending`. Throws
 * the client's `WorkflowExecutionAlreadyStartedError` when the id is taken.
 */
export async function launch(client: Client, options: LaunchOptions): Promise<Tracker> {
  const { type, taskId, inputHash, handOver, requestId = randomUUID() } = options;
  const input = options.input as AnyInput;
  const tracker = pendingTracker(type, taskId, input, handOver);
  const staging = handOver?.accepted?.staging;
  // A reindex too: its own steps are few, and if live writes went before them all, a backlog of these would keep it from
  // renewing its lock. What it copies comes after them.
  const priorityKey = options.priority ?? PRIORITY.live;
  const start: WorkflowStartOptions = {
    workflowId: taskId,
    taskQueue: options.taskQueue,
    args: handOver ? [input, handOver] : [input],
    workflowIdReusePolicy: options.reuse,
    workflowIdConflictPolicy: 'FAIL',
    staticSummary: options.summary ?? summaryOf(type, input, handOver),
    priority: { priorityKey, fairnessKey: options.fairnessKey },
    typedSearchAttributes: new TypedSearchAttributes(attributesOf(tracker, input, options)),
    // The staging tells which items are this task's, and which were left by another one of its id.
    memo: {
      tracker: listRow(tracker),
      ...(inputHash !== undefined && { inputHash }),
      ...(staging !== undefined && { staging }),
    },
    requestEagerStart: mayStartEagerly(client),
    // The SDK's own way for programs that must not start twice; its public options have none.
    ...{ [InternalWorkflowStartOptionsSymbol]: { requestId } },
  };
  const call = () => client.workflow.start(WORKFLOW_OF[type], start);
  const handle = await startPatiently(client, { taskId, patienceMs: options.patienceMs ?? PATIENCE_MS }, (leftMs) =>
    callTemporal(client, taskId, call, { timeoutMs: Math.min(START_TIMEOUT_MS, Math.max(LEAST_MS, leftMs)) }),
  );
  return { ...tracker, links: { workflowId: taskId, runId: handle.firstExecutionRunId } };
}

/** Of each client, so that a burst of starts waits here rather than at the server. */
const limits = new WeakMap<Client, LimitFunction>();

/** The server knows a start that comes again by its request id. Error: `TemporalUnavailable` with the id of the task. */
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
  for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(PAUSE_MS.most, pauseMs * 2)) {
    try {
      return await limit(begin);
    } catch (error) {
      if (!isType(error, 'TemporalUnavailable')) throw error;
      if (Date.now() + pauseMs > (untilMs ?? 0)) throw unknownOutcome(taskId, error);
    }
    await delay(pauseMs * (0.5 + Math.random()));
  }
}

/** What was asked for may have been done: the same id and input can be sent again, and are one task. */
export function unknownOutcome(taskId: string, cause: unknown): ReembedError {
  return new ReembedError(
    'TemporalUnavailable',
    `the Temporal server does not answer: the task ${taskId} may have been started; the same id and input can be sent again`,
    { taskId, cause },
  );
}

/**
 * On a connection that workers of this process use too: one of them may be handed the first workflow task with the
 * answer to the start, rather than through the task queue.
 */
function mayStartEagerly({ connection }: Client): boolean {
  return (connection as InternalConnectionLike)[InternalConnectionLikeSymbol]?.supportsEagerStart === true;
}

/** The tracker of a task that no worker has taken up yet. */
export function pendingTracker(
  type: StartableType,
  id: string,
  input: AnyInput,
  { previous, accepted, plan, standsFor, retired }: Partial<HandOver> = {},
): Tracker {
  const { name } = input;
  const isIgnored = standsFor !== undefined && !previous;
  const data: Tracker['data'] = { ...(name !== undefined && { name }), ...(isIgnored && { standsFor }) };
  const now = new Date().toISOString();
  return trackerOfRow({
    id,
    type,
    status: isIgnored ? 'ignored' : 'pending',
    ...(isIgnored && { detail: standsForText(standsFor) }),
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
  return [input.index, input.source, input.dest, input.filter?.index].filter((name) => name !== undefined);
}

function attributesOf(
  tracker: Tracker,
  input: AnyInput,
  { replaces, handOver, taskQueue }: Pick<LaunchOptions, 'replaces' | 'handOver' | 'taskQueue'>,
): SearchAttributePair[] {
  const pairs: SearchAttributePair[] = [
    { key: taskTypeKey, value: tracker.type },
    { key: taskStatusKey, value: tracker.status },
    input.name === undefined ? { key: taskIndexKey, value: indexesOf(input) } : { key: jobNameKey, value: input.name },
  ];
  const { name } = input;
  const plan = handOver?.plan;
  if (plan?.onDuplicate === 'parallel' && name !== undefined) {
    pairs.push({ key: jobLaneKey, value: laneIdOf(taskQueue, name, plan.keyHash) });
  }
  if (tracker.parentId !== null) pairs.push({ key: taskParentKey, value: tracker.parentId });
  // A first run begins when its task does.
  if (handOver?.previous) pairs.push({ key: taskCreateTimeKey, value: new Date(handOver.previous.createTime) });
  if (replaces !== undefined) pairs.push({ key: taskReplacesKey, value: replaces });
  return pairs;
}

function summaryOf(type: StartableType, input: AnyInput, handOver: HandOver | undefined): string {
  const items = handOver?.accepted?.total ?? (input.items ?? input.ids)?.length;
  switch (type) {
    case 'upsert':
      return `upsert ${items} objects into ${input.index}`;
    case 'delete':
      return `delete ${items} objects from ${input.index}`;
    case 'reindex':
      return `rebuild ${input.source} as ${input.dest}`;
    case 'delete-index':
      return `delete the index ${input.index}`;
    case 'job':
      return `job ${input.name}`;
    case 'steer':
      return `${input.action} the tasks that fit ${JSON.stringify(input.filter)}`.slice(0, SUMMARY_CHARS);
  }
}
