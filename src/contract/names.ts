/** Names that other programs see: Temporal task queues, workflow types, signals, queries and search attributes. */

/** The queue of the activities that load, split, embed, write and copy, so that embedding scales alone. */
export function embedQueueOf(controlQueue: string): string {
  return `${controlQueue}-embed`;
}

/** The task queue of the workflows, from theirs or from that of the embed activities. */
export function controlQueueOf(queue: string): string {
  return queue.replace(/-embed$/, '');
}

/** Names the queue of jobs that have none. */
export const DEFAULT_QUEUE = 'default';

/** The task queue on which handlers of jobs run. */
export function jobQueueOf(controlQueue: string, queue: string): string {
  return queue === DEFAULT_QUEUE ? `${controlQueue}-jobs` : `${controlQueue}-jobs-${queue}`;
}

/**
 * The queue on which jobs that were started by hand or by a schedule are checked, by any worker that knows their
 * definitions: not one of those above, whose workers may all be busy for long.
 */
export function admissionQueueOf(controlQueue: string): string {
  return `${controlQueue}-job-admission`;
}

/** The workflow that decides between jobs of one name and key. */
export function laneIdOf(controlQueue: string, name: string, keyHash: string): string {
  return `job-lane/${controlQueue}/${name}/${keyHash}`;
}

export const WORKFLOW = {
  upsert: 'upsert',
  delete: 'delete',
  reindex: 'reindex',
  reindexSlice: 'reindexSlice',
  deleteIndex: 'deleteIndex',
  maintain: 'maintain',
  buildIndex: 'buildIndex',
  job: 'job',
  steer: 'steerTasks',
  jobLane: 'jobLane',
} as const;

export const SIGNAL = {
  cancel: 'cancel',
  restart: 'restart',
  pause: 'pause',
  resume: 'resume',
  ignore: 'ignore',
  throttle: 'throttle',
} as const;

/** From a slice to its reindex, which has the same id as its task: how many objects it has done. */
export const SLICE_PROGRESS = 'slice-progress';

/** What a job, its handler's activity and its lane tell each other. */
export const JOB_SIGNAL = {
  /** To the job: a worker runs its handler. */
  started: 'started',
  /** To the job: its turn has come. */
  turn: 'turn',
  /** To the lane: the job has ended. */
  leave: 'leave',
} as const;

/** To the lane: may this job run? */
export const ENTER_LANE = 'enter';

/** To a task from its activities, and to a reindex from its slices: what they wait for. */
export const WAITS = 'waits';

/** To a reindex from its slices: why it is to pause until someone helps. */
export const HOLD = 'hold';

export const QUERY = { tracker: 'tracker' } as const;

/** Search attributes by which `temporal workflow list --query` finds tasks; the values are Temporal's type names. */
export const SEARCH_ATTRIBUTES = {
  TaskType: 'KEYWORD',
  TaskStatus: 'KEYWORD',
  TaskParent: 'KEYWORD',
  /** Of a run that replaces an ended one of the same task: that one's run id, so that lists can leave it out. */
  TaskReplaces: 'KEYWORD',
  /** Of a job: the name of its definition. */
  JobName: 'KEYWORD',
  /** Of a job that minds no others of its name and key: the lane in which others mind it. */
  JobLane: 'KEYWORD',
  /** Of a run that goes on with a task: when the task was created. That of its first run is the run's own StartTime. */
  TaskCreateTime: 'DATETIME',
  TaskIndex: 'KEYWORD_LIST',
} as const;

/** In which Temporal carries the context of a trace, as OpenTelemetry's interceptors of all its SDKs have it. */
export const TRACE_HEADER = '_tracer-data';

/**
 * Lower is sooner (Temporal's default is 3). Copying has the priority of live work: Temporal's priorities are strict, so
 * that copies of a lower one would stand still for as long as live work keeps all workers busy. What copies take is
 * bounded by their number and by `REEMBED_COPY_SHARE_PERCENT`.
 */
export const PRIORITY = { live: 2, copy: 2 } as const;
