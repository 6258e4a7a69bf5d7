import type { JobControl } from './control.ts';

/** What a handler gets first, before its input, with the option `bind`. */
export interface Bound {
  /** The id of the job. */
  uuid: string;
  /** The worker that runs it, as Temporal names it. */
  workerId: string;
  /** 1 for the first. */
  attempt: number;
  /** Aborted when the job is canceled, its timeout is over, or its worker stops. */
  signal: AbortSignal;
  /** Says that the handler lives, with what an operator may want to see. Sent by itself every two seconds as well. */
  heartbeat(details?: unknown): void;
  /** Looks at other jobs, and cancels them. */
  control: JobControl;
  log: JobLog;
}

type LogLine = (fields: Record<string, unknown> | string, message?: string) => void;

/** The log of the worker, with the job's name and id on every line. */
export interface JobLog {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

export type Handler<Input, Result> = (input: Input) => Result | Promise<Result>;
export type BoundHandler<Input, Result> = (bound: Bound, input: Input) => Result | Promise<Result>;
