import type { LaneAnswer, LaneRequest, TraceCarrier } from './job-lanes.ts';
import type { JobPlan, Turn } from './job-plan.ts';
import type { Isolate } from './jobs.ts';
import type { Json } from './json.ts';
import type { SteerAction, SteerFilter, SteerOutcome } from './steer-tasks.ts';
import type { JobInput } from './workflow-inputs.ts';

/** Activities of jobs and their lanes, on the workflows' own task queue. */
export interface LaneActivities {
  /** Asks the lane of a job whether it may run. */
  enterLane(request: { laneId: string; request: LaneRequest }): Promise<LaneAnswer>;
  /** Starts a job and returns its run id; null when a job with this id exists. */
  startJob(request: {
    taskId: string;
    job: JobInput;
    plan: JobPlan | undefined;
    turn: Turn;
    inputHash: string | null;
    trace?: TraceCarrier;
  }): Promise<string | null>;
  /** Lists started jobs of this lane that run in parallel with others, at most a hundred. */
  parallelJobs(laneId: string): Promise<{ taskId: string; runId: string }[]>;
  /** Whether this run of a job is open. */
  isJobOpen(run: { taskId: string; runId: string }): Promise<boolean>;
}

/** Activities of bulk steering, on the workflows' own task queue. */
export interface SteerActivities {
  /** Fixes the set of tasks and returns its size; `again` reuses the set of an earlier run and retries its failures. */
  snapshotTasks(request: { taskId: string; filter: SteerFilter; again: boolean }): Promise<number>;
  /** Steers tasks for some seconds; returns the count of each outcome so far, and whether all tasks have one. */
  steerChunk(
    request: SteerChunkRequest,
  ): Promise<{ byOutcome: Partial<Record<SteerOutcome, number>>; isDone: boolean }>;
}

export interface SteerChunkRequest {
  taskId: string;
  action: SteerAction;
  force: boolean;
  reason: string | undefined;
  dryRun: boolean;
  /** Name of the caller, if known. */
  by: string | undefined;
}

/** Activities of the admission queue, polled by every worker with the job definitions, however busy it is. */
export interface AdmissionActivities {
  /** Checks a job that was started without our client, and makes its plan. */
  admitJob(job: JobInput): Promise<JobPlan>;
}

export interface RunJobRequest {
  name: string;
  input: unknown;
  attempt: number;
  bind: boolean;
  timeoutMs: number;
  isolate: Isolate;
}

/** Activities of a job's own queue; one execution is one attempt. */
export interface JobActivities {
  runJob(request: RunJobRequest): Promise<Json>;
}
