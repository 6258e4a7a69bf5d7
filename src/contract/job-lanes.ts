import type { HAND_OVER_VERSION } from './hand-over.ts';
import type { JobPlan, Turn } from './job-plan.ts';
import type { OnDuplicate } from './jobs.ts';
import type { JobInput } from './workflow-inputs.ts';

/** Asks a lane whether a job may run. */
export interface LaneRequest {
  taskId: string;
  onDuplicate: Exclude<OnDuplicate, 'parallel'>;
  newest: boolean;
  /** Run id of the job's workflow if it exists: it was started by hand, by a schedule or by a restart. */
  runId: string | null;
  /** The job to start when it is accepted, or whose input replaces that of the waiting job. */
  job: JobInput;
  /** Required when the lane starts the job. */
  plan?: JobPlan;
  inputHash: string | null;
  /** The trace of the sender, in which the lane starts the job. */
  trace?: TraceCarrier;
}

/** A trace as W3C headers. */
export type TraceCarrier = Record<string, string>;

/** Answer of a lane; `exists`: a job with this id exists from an earlier submission. */
export type LaneAnswer = Turn | { kind: 'ignored'; duplicateOf: string } | { kind: 'exists' };

/** A job in its lane. */
export interface LaneEntry {
  taskId: string;
  runId: string;
  /** It was notified of its turn, or was started with it. */
  notified: boolean;
  /** It does not wait for other jobs, but they wait for it. */
  parallel?: boolean;
  /** Input of a newer submission that was ignored as a duplicate of it. */
  newest?: { input: unknown };
}

export interface LaneInput {
  /** Name of the jobs, for people. */
  name: string;
}

/** Second argument of a lane that continues as a new run: the first entry has its turn, the others wait. */
export interface LaneHandOver {
  v: typeof HAND_OVER_VERSION;
  from: string;
  entries: LaneEntry[];
}
