import type { Tracker } from '../contract/tasks.ts';

/** A job whose handler may be running. */
export interface RunningJob {
  id: string;
  name: string;
  status: Tracker['status'];
  /** Null until a worker has taken it. */
  workerId: string | null;
  startTime: string;
}

/** A worker that asks for jobs, as Temporal knows it. */
export interface JobWorker {
  workerId: string;
  /** Names of its queues; `default` is the one without a name. */
  queues: string[];
  /** When it last asked for work: a minute ago or less for one that lives. */
  lastSeen: string;
  /** Ids of the jobs it runs. */
  running: string[];
}

/** Looks at jobs and workers. Temporal is asked, so that it is the same from every process. */
export interface JobControl {
  /** Jobs that have not ended; with `name`, those of this name alone. */
  running(filter?: { name?: string }): Promise<RunningJob[]>;
  /** Cancels a job, and waits at most ten seconds until it has stopped. */
  cancel(taskId: string, reason?: string): Promise<Tracker>;
  /** Workers of the default queue and of the named ones. */
  workers(queues?: readonly string[]): Promise<JobWorker[]>;
}
