/** Names visible to other programs: Temporal task queues, workflow types, signals, queries and search attributes. */

/** Returns the queue of the activities that load, split, embed, write and copy, so that embedding scales separately. */
export function embedQueueOf(controlQueue: string): string {
  return `${controlQueue}-embed`;
}

/**
 * Returns the queue of the activities that follow sources. Each takes a slot for as long as its source is followed, so
 * they have a queue without a narrow limit.
 */
export function sourceQueueOf(controlQueue: string): string {
  return `${controlQueue}-sources`;
}

/** Returns the workflows' task queue, given that queue, the embed queue or that of sources. */
export function controlQueueOf(queue: string): string {
  return queue.replace(/-(embed|sources)$/, '');
}

/** Returns the id of the workflow that follows a source, and of its failed list. No task can have such an id. */
export function followerIdOf(source: string): string {
  return `${FOLLOWER}${source}`;
}

const FOLLOWER = 'source~';

/** Returns the source whose follower has this id; undefined if it is another id. */
export function sourceOfFollower(id: string): string | undefined {
  return id.startsWith(FOLLOWER) ? id.slice(FOLLOWER.length) : undefined;
}

/** Queue of jobs that name no queue. */
export const DEFAULT_QUEUE = 'default';

/** Returns the task queue on which job handlers run. */
export function jobQueueOf(controlQueue: string, queue: string): string {
  return queue === DEFAULT_QUEUE ? `${controlQueue}-jobs` : `${controlQueue}-jobs-${queue}`;
}

/**
 * Returns the queue on which jobs started by hand or by a schedule are checked, by any worker with their definitions.
 * It is separate from the queues above, whose workers may all be busy for a long time.
 */
export function admissionQueueOf(controlQueue: string): string {
  return `${controlQueue}-job-admission`;
}

/** Returns the id of the workflow that coordinates jobs with the same name and key. */
export function laneIdOf(controlQueue: string, name: string, keyHash: string): string {
  return `job-lane/${controlQueue}/${name}/${keyHash}`;
}

/** Workflows that are not tasks; those of tasks are in `task-types.ts`. */
export const WORKFLOW = {
  maintain: 'maintain',
  buildIndex: 'buildIndex',
  jobLane: 'jobLane',
  followSource: 'followSource',
} as const;

export const SIGNAL = {
  cancel: 'cancel',
  restart: 'restart',
  pause: 'pause',
  resume: 'resume',
  ignore: 'ignore',
  throttle: 'throttle',
  reads: 'reads',
  approve: 'approve',
  reject: 'reject',
} as const;

/** Update of the task that keeps a retired index current: lets the other index serve. */
export const ROLL_BACK = 'roll-back';

/** Signal from a slice to its reindex, whose workflow id is the task id: number of objects done. */
export const SLICE_PROGRESS = 'slice-progress';

/** Signals between a job, its handler's activity and its lane. */
export const JOB_SIGNAL = {
  /** To the job: a worker runs its handler. */
  started: 'started',
  /** To the job: its turn has come. */
  turn: 'turn',
  /** To the lane: the job has ended. */
  leave: 'leave',
} as const;

/** Update to the lane: asks whether a job may run. */
export const ENTER_LANE = 'enter';

/** Signal to the follower of a source: look at its definition again. */
export const LOOK = 'look';

/** Signal to a task from its activities, and to a reindex from its slices: what they wait for. */
export const WAITS = 'waits';

/** Signal to a task from the activity that builds an HNSW index: the progress of the build, or null at its end. */
export const BUILD_PROGRESS = 'build-progress';

/** Signal to a task from an activity that runs for long: what it has waited for since its last report. */
export const STEP_WAITS = 'step-waits';

/** Signal to a reindex from its slices: why it must pause until someone resumes it. */
export const HOLD = 'hold';

export const QUERY = { tracker: 'tracker' } as const;

/** Search attributes by which `temporal workflow list --query` finds tasks; the values are Temporal's type names. */
export const SEARCH_ATTRIBUTES = {
  TaskType: 'KEYWORD',
  TaskStatus: 'KEYWORD',
  TaskParent: 'KEYWORD',
  /** Run id of the ended run of the same task that this run replaces, so that lists can omit it. */
  TaskReplaces: 'KEYWORD',
  /** Name of a job's definition. */
  JobName: 'KEYWORD',
  /** Lane in which other jobs wait for this job, which itself waits for no job. */
  JobLane: 'KEYWORD',
  /** Creation time of the task, on runs that continue it; for the first run it is StartTime. */
  TaskCreateTime: 'DATETIME',
  TaskIndex: 'KEYWORD_LIST',
  /** True once the task could not write an item, until a retry has written it; missing before. */
  TaskHasFailedItems: 'BOOL',
} as const;

/** Header of the trace context, as in the OpenTelemetry interceptors of all Temporal SDKs. */
export const TRACE_HEADER = '_tracer-data';

/**
 * Lower runs first (Temporal's default is 3). Copying has the priority of live work: Temporal's priorities are strict,
 * so copies with a lower priority would stall while live work keeps all workers busy. The load of copies is limited
 * by their number and by `REEMBED_COPY_SHARE_PERCENT`.
 */
export const PRIORITY = { live: 2, copy: 2 } as const;
