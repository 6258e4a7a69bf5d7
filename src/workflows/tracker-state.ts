import type { WorkflowInfo } from '@temporalio/workflow';
import type { Tracker } from '../contract/tasks.ts';
import type { Carried, CarriedSignals } from '../contract/workflow-inputs.ts';
import type { TaskSpec } from './task.ts';

/** The tracker with which a run begins: a new one, or what an earlier run has handed over. */
export function createTracker(info: WorkflowInfo, spec: TaskSpec): Tracker {
  const carried = spec.previous;
  return {
    id: info.workflowId,
    type: spec.type,
    parentId: spec.parentId ?? null,
    status: 'pending',
    detail: '',
    createTime: carried?.createTime ?? info.startTime.toISOString(),
    updateTime: new Date().toISOString(),
    attempts: carried?.attempts ?? 0,
    // A restarted task has all its attempts again; one that continues itself has those it had.
    maxAttempts: carried?.maxAttempts ?? (spec.maxAttempts ?? 3) + (carried?.attempts ?? 0),
    lock: null,
    lockTime: null,
    lockExpireTime: null,
    version: carried?.version ?? null,
    progress: carried?.progress ?? { done: 0, total: 0, failed: 0, perSecond: 0, etaSeconds: null },
    data: carried?.data ?? {},
    errors: carried?.errors ?? [],
    steering: carried?.steering ?? [],
    children: carried?.children ?? {},
    links: { workflowId: info.workflowId, runId: info.runId },
  };
}

/** What a run that continues itself as a new one hands over; within an attempt it is still the same one. */
export function carriedOf(
  tracker: Tracker,
  rest: { signals: CarriedSignals; sameAttempt: boolean; onlyFailed: boolean },
): Carried {
  const { attempts, maxAttempts, createTime, errors, steering, data, progress, children, status, version } = tracker;
  return {
    attempts,
    maxAttempts,
    createTime,
    errors,
    steering,
    data,
    progress,
    children,
    status,
    version,
    ...rest,
  };
}

/** True when an earlier run has done everything, so that running it again has nothing to do. */
export function wasDone({ type, previous }: TaskSpec): boolean {
  if (!previous || previous.sameAttempt || previous.onlyFailed || previous.status !== 'done') return false;
  // What a job does is its own affair: whoever restarts it wants it done again.
  if (type === 'job') return false;
  // What could not be written is tried again; what a reindex could not embed, another reindex tries.
  return type === 'reindex' || !previous.data.failed;
}
