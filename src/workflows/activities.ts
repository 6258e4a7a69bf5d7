import {
  ActivityCancellationType,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  AdmissionActivities,
  ControlActivities,
  EmbedActivities,
  JobActivities,
  LaneActivities,
  SteerActivities,
} from '../contract/activities.ts';
import { admissionQueueOf, embedQueueOf, jobQueueOf } from '../contract/names.ts';
import type { JobPlan } from '../contract/workflow-inputs.ts';
import { errorOf } from './errors.ts';

/**
 * Transient trouble is retried here, ten times; what is not retryable says so itself. What is named here only another
 * attempt of the whole task can help: one with a new lock, or that copies again.
 */
const RETRY = {
  initialInterval: '500 ms',
  backoffCoefficient: 2,
  maximumInterval: '1 minute',
  maximumAttempts: 10,
  nonRetryableErrorTypes: ['LockLost', 'VerifyFailed', 'TooManyFailed'],
};

/** Heartbeats come every two seconds or oftener: when some are missing, the worker is gone and another one takes over. */
const HEARTBEAT_TIMEOUT = '10 s';

/**
 * How long an activity may take within a workflow task. A task lasts ten seconds, and after eight of them the SDK asks
 * for another one while local activities run: signals come in between, and such a history is replayed in another order
 * than it ran. Three of these follow one another at most.
 */
const WITHIN_TASK = '2500 ms';

/** Short control activities within the workflow task: no round trip through the server. */
const localControl = proxyLocalActivities<ControlActivities>({ scheduleToCloseTimeout: WITHIN_TASK, retry: RETRY });

/**
 * Control activities that may wait for writers or read a whole index. One that has begun is waited for even after a
 * cancel: a lock that it takes must be known, to be given back.
 */
export const longControl = proxyActivities<ControlActivities & SteerActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: RETRY,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** Within the workflow task where that is done in time; else, and on any trouble, as regular activities. */
export const control: Pick<
  ControlActivities,
  'admit' | 'forgetFailed' | 'dropStaged' | 'renewLock' | 'requestCancel' | 'wasCutOver'
> = {
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
  renewLock: (...args) =>
    withinTask(
      () => localControl.renewLock(...args),
      () => longControl.renewLock(...args),
    ),
  requestCancel: () => withinTask(localControl.requestCancel, longControl.requestCancel),
  wasCutOver: (...args) =>
    withinTask(
      () => localControl.wasCutOver(...args),
      () => longControl.wasCutOver(...args),
    ),
};

/** What cannot be tried again fails at once. */
export async function withinTask<T>(local: () => Promise<T>, regular: () => Promise<T>): Promise<T> {
  try {
    return await local();
  } catch (error) {
    if (isCancellation(error) || !errorOf(error).retryable) throw error;
  }
  return regular();
}

/** A small write, within the workflow task; see {@link withinTask}. */
export const localWrites = proxyLocalActivities<Pick<EmbedActivities, 'writeChunk'>>({
  scheduleToCloseTimeout: WITHIN_TASK,
  retry: { maximumAttempts: 1 },
});

/** Activities on the embed queue; a stop is confirmed, so that nothing is written after a task has ended. */
export function embedActivities(): EmbedActivities {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: RETRY,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/**
 * Forwards hold up the write they belong to, and the reindex brings what they miss: they are not worth waiting for when
 * the model of the index being built is slow or down.
 */
export function forwardActivities(): Pick<EmbedActivities, 'forwardChunk'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    scheduleToCloseTimeout: '1 minute',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { ...RETRY, maximumAttempts: 3 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** As above, noticed sooner when its worker dies: writers are being held back meanwhile. */
export function cutOverActivities(): Pick<EmbedActivities, 'cutOver'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: '5 s',
    retry: { ...RETRY, initialInterval: '100 ms', maximumInterval: '2 s', maximumAttempts: 30 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: 1 },
  });
}

/** Building an HNSW index is one statement that may take hours. */
export function indexActivities(): Pick<EmbedActivities, 'buildVectorIndex'> {
  return proxyActivities<EmbedActivities>({
    taskQueue: embedQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: '1 minute',
    retry: { ...RETRY, maximumAttempts: 100 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}

/** What a lane asks of Temporal. Not local activities: signals and updates come in while they run. */
export const laneControl = proxyActivities<Pick<LaneActivities, 'startJob' | 'isJobOpen' | 'parallelJobs'>>({
  startToCloseTimeout: '30 s',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: RETRY,
});

/** Not a local activity: the lane's workflow task may have to wait for the slot that a local one would hold. */
export const laneEntry = proxyActivities<Pick<LaneActivities, 'enterLane'>>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { ...RETRY, maximumAttempts: 100 },
});

/** Takes as long to be given up as a job waits for a worker if nobody says otherwise. */
export function admission(): AdmissionActivities {
  return proxyActivities<AdmissionActivities>({
    taskQueue: admissionQueueOf(workflowInfo().taskQueue),
    scheduleToStartTimeout: '24 hours',
    startToCloseTimeout: '1 minute',
    retry: { maximumAttempts: 1 },
  });
}

/** A handler that does not stop when its time is over is left to itself after that of the activity and this. */
const JOB_GRACE_MS = 15_000;

/** One attempt of a job. Its attempts are the task's, so that each is in the tracker: the activity has one try. */
export function jobActivities(plan: JobPlan): JobActivities {
  return proxyActivities<JobActivities>({
    taskQueue: jobQueueOf(workflowInfo().taskQueue, plan.queue),
    scheduleToStartTimeout: plan.startTimeoutMs,
    startToCloseTimeout: plan.timeoutMs + JOB_GRACE_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: plan.priority, fairnessKey: plan.fairnessKey ?? undefined },
  });
}
