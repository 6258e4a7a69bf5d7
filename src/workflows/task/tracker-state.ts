import type { WorkflowInfo } from '@temporalio/workflow';
import type { Carried, CarriedSignals } from '../../contract/hand-over.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { TaskSpec } from './spec.ts';

/** Creates the tracker of a run: a new one, or the one that an earlier run handed over. */
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
    // A restarted task has all its attempts again; a continued one keeps its count.
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

/** Returns what a run hands over to the next one; within an attempt, the attempt continues. */
export function toCarried(
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

/** Returns true if an earlier run has done everything, so that there is nothing left to do. */
export function wasDone({ type, previous }: TaskSpec): boolean {
  if (!previous || previous.sameAttempt || previous.onlyFailed || previous.status !== 'done') return false;
  // A restart of a job means that its function is to run again; what the others look at may have changed since.
  if (type === 'job' || type === 'evaluate' || type === 'audit' || type === 'sync') return false;
  // Items that could not be written are retried; objects that a reindex could not embed need another reindex.
  return type === 'reindex' || !previous.data.failed;
}
