import {
  ActivityCancellationType,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { ControlActivities, EmbedActivities } from '../contract/activities.ts';
import { HEARTBEAT } from '../contract/heartbeats.ts';
import type {
  AdmissionActivities,
  JobActivities,
  LaneActivities,
  SteerActivities,
} from '../contract/job-activities.ts';
import type { JobPlan } from '../contract/job-plan.ts';
import { admissionQueueOf, embedQueueOf, jobQueueOf, sourceQueueOf } from '../contract/names.ts';
import type { SourceActivities } from '../contract/source-activities.ts';
import { errorOf } from './task/errors.ts';

/**
 * Retries transient errors ten times; an error that is not retryable says so itself. The types listed here need a new
 * attempt of the whole task: one that takes a new lock or copies again.
 */
const RETRY = {
  initialInterval: '500 ms',
  backoffCoefficient: 2,
  maximumInterval: '1 minute',
  maximumAttempts: 10,
  nonRetryableErrorTypes: ['LockLost', 'VerifyFailed', 'TooManyFailed'],
};

/**
 * Max. time of a local activity. A workflow task lasts ten seconds, and after eight the SDK asks for another one while
 * local activities run: signals then arrive in between, and such a history is replayed in a different order than it
 * ran. At most three local activities follow one another.
 */
const WITHIN_TASK = '2500 ms';

/** Short control activities, run as local activities: no round trip through the server. */
const localControl = proxyLocalActivities<ControlActivities>({ scheduleToCloseTimeout: WITHIN_TASK, retry: RETRY });

/**
 * Control activities that may wait for writers or read a whole index. A cancel waits until a running one ends: if it
 * takes a lock, the workflow must know the lock to release it.
 */
export const longControl = proxyActivities<ControlActivities & SteerActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: HEARTBEAT.timeoutMs,
  retry: RETRY,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/**
 * Control activities that run locally if they finish in time, and as regular activities otherwise or after an error. Only
 * for steps beside which nothing else of the workflow runs: a local activity that ends while another activity or a timer
 * runs may be replayed in a different order.
 */
export const control: Pick<ControlActivities, 'admit' | 'forgetFailed' | 'dropStaged' | 'requestCancel'> = {
  admit: (...args) =>
    withinTask(
      () => localControl.admit(...args),
      () => longControl.admit(...args),
    ),
  forgetFailed: (...args) =>
    withinTask(
      () => localControl.forgetFailed(...args),
      () => longControl.forgetFailed(...args),
    ),
  dropStaged: (...args) =>
    withinTask(
      () => localControl.dropStaged(...args),
      () => longControl.dropStaged(...args),
    ),
  requestCancel: () => withinTask(localControl.requestCancel, longControl.requestCancel),
};

/** Runs `local`, then `regular` if `local` failed with a retryable error. */
export async function withinTask<T>(local: () => Promise<T>, regular: () => Promise<T>): Promise<T> {
  try {
    return await local();
  } catch (error) {
    if (isCancellation(error) || !errorOf(error).retryable) throw error;
  }
  return regular();
}

/** A small write as a local activity; see {@link withinTask}. */
export const localWrites = proxyLocalActivities<Pick<EmbedActivities, 'writeChunk'>>({
  scheduleToCloseTimeout: WITHIN_TASK,
  retry: { maximumAttempts: 1 },
});

/** Activities on the embed queue. A cancel waits for the activity to stop, so nothing is written after a task ends. */
export function embedActivities(): EmbedActivities {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: HEARTBEAT.timeoutMs,
    retry: RETRY,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Cancels jobs at a provider; a task that ends does not wait long for one that is down. */
export function batchEndActivities(): Pick<EmbedActivities, 'endBatches'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    scheduleToCloseTimeout: '2 minutes',
    heartbeatTimeout: HEARTBEAT.timeoutMs,
    retry: { ...RETRY, maximumInterval: '10 s' },
  });
}

/**
 * Forwards delay the write they belong to, and the reindex copies what they miss. Hence the short timeout: they are not
 * worth waiting for when the model of the index being built is slow or down.
 */
export function forwardActivities(): Pick<EmbedActivities, 'forwardChunk'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    scheduleToCloseTimeout: '1 minute',
    heartbeatTimeout: HEARTBEAT.timeoutMs,
    retry: { ...RETRY, maximumAttempts: 3 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** The cut-over, which continues soon after a failure, because writers are blocked meanwhile. */
export function cutOverActivities(): Pick<EmbedActivities, 'cutOver'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: HEARTBEAT.timeoutMs,
    retry: { ...RETRY, initialInterval: '100 ms', maximumInterval: '2 s', maximumAttempts: 30 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: 1 },
  });
}

/**
 * A roll back: like the cut-over, but retried until its outcome is known, since the aliases may have moved already. An
 * attempt that finds the index not current ends with that result.
 */
export function rollBackActivities(): Pick<EmbedActivities, 'rollBack'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: HEARTBEAT.timeoutMs,
    retry: {
      initialInterval: '100 ms',
      maximumInterval: '2 s',
      nonRetryableErrorTypes: ['LockLost', 'IndexNotFound', 'IndexDeleting', 'RollBackRefused'],
    },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: 1 },
  });
}

/** The activities of an evaluation, on the embed queue, since they embed queries. */
export function evaluationActivities(): Pick<
  EmbedActivities,
  'beginEvaluation' | 'evaluateQueries' | 'finishEvaluation'
> {
  return embedActivities();
}

/** Following a source: retried until it is stopped, since it waits for what is away by itself. */
export function sourceActivities(): SourceActivities {
  return proxyActivities<SourceActivities>({
    taskQueue: sourceQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: HEARTBEAT.timeoutMs,
    retry: { initialInterval: '100 ms', maximumInterval: '10 s' },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Builds an HNSW index: one statement that may take hours. */
export function indexActivities(): Pick<EmbedActivities, 'buildVectorIndex'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: '1 minute',
    retry: { ...RETRY, maximumAttempts: 100 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}

/** Changes an HNSW index. A cancel waits until it is known whether the switch has happened. */
export function vectorIndexActivities(): Pick<EmbedActivities, 'changeVectorIndex'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: '1 minute',
    retry: { ...RETRY, maximumAttempts: 100 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Calls of a lane to Temporal. Not local activities, because signals and updates arrive while they run. */
export const laneControl = proxyActivities<Pick<LaneActivities, 'startJob' | 'isJobOpen' | 'parallelJobs'>>({
  startToCloseTimeout: '30 s',
  heartbeatTimeout: HEARTBEAT.timeoutMs,
  retry: RETRY,
});

/** Not a local activity: the lane's workflow task may need the slot that a local one would hold. */
export const laneEntry = proxyActivities<Pick<LaneActivities, 'enterLane'>>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT.timeoutMs,
  retry: { ...RETRY, maximumAttempts: 100 },
});

/** Admission of a job. Its schedule-to-start timeout equals the default time that a job waits for a worker. */
export function admission(): AdmissionActivities {
  return proxyActivities<AdmissionActivities>({
    taskQueue: admissionQueueOf(workflowInfo().taskQueue),
    scheduleToStartTimeout: '24 hours',
    startToCloseTimeout: '1 minute',
    retry: { maximumAttempts: 1 },
  });
}

/** Time that a handler has to stop after its own timeout, before the activity times out and it is abandoned. */
const JOB_GRACE_MS = 15_000;

/** One attempt of a job. The task retries, not the activity, so that each attempt is in the tracker. */
export function jobActivities(plan: JobPlan): JobActivities {
  return proxyActivities<JobActivities>({
    taskQueue: jobQueueOf(workflowInfo().taskQueue, plan.queue),
    scheduleToStartTimeout: plan.startTimeoutMs,
    startToCloseTimeout: plan.timeoutMs + JOB_GRACE_MS,
    heartbeatTimeout: HEARTBEAT.jobTimeoutMs,
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: plan.priority, fairnessKey: plan.fairnessKey ?? undefined },
  });
}
