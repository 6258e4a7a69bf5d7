import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import type { CodeCallOptions, DefinitionOptions } from '../contract/jobs.ts';
import type { ScheduledOptions, ScheduleTimesInput } from '../contract/schedule-request.ts';
import type { Overlap, Schedule, ScheduleRun } from '../contract/schedules.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { DesiredSchedule } from '../temporal/schedules/schedules.ts';

/** A user's function as a durable task, created by `defineTask`. `Given` is the input before schema parsing. */
export interface Task<Given, Input, Result> {
  readonly name: string;
  /** Description for people. */
  readonly description?: string | undefined;
  readonly input: z.ZodType<Input, Given>;
  readonly options: DefinitionOptions<Input>;
  readonly handler: Handler<Input, Result> | BoundHandler<Input, Result>;
  readonly registry: Registry;

  /**
   * Sends a job with the options of the definition. Resolves when the job is accepted, not when it has run.
   * Errors: `InvalidInput`, `TooLarge`, `NotConnected`, `TemporalUnavailable`.
   */
  delay(input: Given): Promise<SentJob<Result>>;

  /**
   * Sends a job with options of this call, which override those of the definition. Errors: those of `delay`, and
   * `TaskLocked` if `taskId` belongs to a job with a different name or input.
   *
   * @example
   * const sent = await sendMail.applyAsync({ to: 'a@example.com' }, { queue: 'mail', timeout: '30s' });
   */
  applyAsync(input: Given, options?: CodeCallOptions<Input>): Promise<SentJob<Result>>;

  /** Sends a job that runs at this time or later, but never before. Errors: those of `applyAsync`. */
  at(
    date: Date | string,
    input: Given,
    options?: Omit<CodeCallOptions<Input>, 'at' | 'delay'>,
  ): Promise<SentJob<Result>>;

  /**
   * Declares a schedule: an interval (`1m`, a number of seconds) or the times of a cron expression. Call it where the
   * task is defined: workers create or change the schedule when they start. For schedules that the application adds and
   * removes while it runs, use `schedule`.
   * Errors: `InvalidInput` for bad times or options, `NameTaken` for a duplicate key.
   *
   * @example
   * checkExpiry.every('1m', undefined, { overlap: 'skip' });
   * report.every('0 9 * * MON-FRI', { to: 'all' }, { timeZone: 'Europe/Berlin' });
   */
  every(every: string | number, input: Given, options?: EveryOptions): ScheduleHandle<Given>;

  /** Returns the handle of its schedule with this key (default: `default`), whether or not the schedule exists. */
  schedule(key?: string): ScheduleHandle<Given>;

  /** Returns the handle of a job that was sent earlier, by id. */
  handle(taskId: string): JobHandle<Result>;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds tasks of all inputs and results
export type AnyTask = Task<any, any, any>;

export type Handler<Input, Result> = (input: Input) => Result | Promise<Result>;

export type BoundHandler<Input, Result> = (bound: Bound, input: Input) => Result | Promise<Result>;

/** First argument of a handler with the option `bind`, before its input. */
export interface Bound {
  /** The id of the job. */
  uuid: string;
  /** Temporal's name of the worker that runs it. */
  workerId: string;
  /** Number of the attempt, from 1. */
  attempt: number;
  /** Aborted when the job is canceled or times out, or when its worker stops. */
  signal: AbortSignal;
  /** Reports that the handler is alive, with details for operators. Also sent automatically every two seconds. */
  heartbeat(details?: unknown): void;
  /** Inspects and cancels other jobs. */
  control: JobControl;
  log: JobLog;
}

type LogLine = (fields: Record<string, unknown> | string, message?: string) => void;

/** The worker's log, with the job's name and id on every line. */
export interface JobLog {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

/** A handle of a job, by id. Errors of all methods: `TaskNotFound`, `TemporalUnavailable`. */
export interface JobHandle<Result> {
  readonly id: string;
  /** Returns its tracker. */
  info(): Promise<Tracker>;
  /** Waits for its end (default of `timeoutMs`: one day) and returns the tracker, however it ended. */
  wait(options?: WaitOptions): Promise<Tracker>;
  /** Waits in the same way and returns the handler's result. Error: `TaskFailed` if it did not end as done. */
  result(options?: WaitOptions): Promise<Result>;
  /** Cancels it and waits until it has stopped, for at most ten seconds. */
  cancel(reason?: string): Promise<Tracker>;
  /** Runs it immediately if it waits or backs off, and again if it has ended. */
  restart(options?: { force?: boolean }): Promise<Tracker>;
  /** Pauses it before its next attempt. */
  pause(): Promise<Tracker>;
  resume(): Promise<Tracker>;
  /** Ends it as `ignored`: it does not run again unless forced. */
  ignore(reason?: string): Promise<Tracker>;
}

export interface WaitOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A job that was just sent. */
export interface SentJob<Result> extends JobHandle<Result> {
  /** The tracker at the time of sending; `ignored` if it duplicates another job, whose id is `data.duplicateOf`. */
  readonly tracker: Tracker;
}

/** When and how a schedule runs, and the options of each run. */
export interface ScheduleOptions extends Omit<ScheduleTimesInput, 'every'> {
  /** Options of each run, as in a call; they override those of the definition. */
  options?: ScheduledOptions;
}

/** Options of a declared schedule. Without `refuse`: the schedule exists when a worker starts again. */
export interface EveryOptions extends Omit<ScheduleOptions, 'ifExists'> {
  /** Distinguishes the schedules of one task; default: `default`. */
  key?: string;
  ifExists?: 'update' | 'keep';
}

/** The desired state of a schedule that the code declares. */
export interface DeclaredSchedule extends Omit<DesiredSchedule, 'taskQueue' | 'declared'> {
  task: AnyTask;
}

/**
 * A handle of a task's schedule, by key. Errors of all methods but `put`: `ScheduleNotFound`, `TemporalUnavailable`.
 */
export interface ScheduleHandle<Given> {
  /** The task's name. */
  readonly name: string;
  readonly key: string;
  /**
   * Creates the schedule, or changes it according to `ifExists`: for schedules that the application adds and removes
   * while it runs, such as one per customer. These are never pruned. Errors: `InvalidInput`, `TooLarge`,
   * `ScheduleExists`.
   *
   * @example
   * await report.schedule(`customer-${id}`).put('0 7 * * MON', { customer: id }, { timeZone: 'Europe/Berlin' });
   */
  put(every: string | number, input: Given, options?: ScheduleOptions): Promise<Schedule>;
  /** Returns its settings, its next times and its last runs. */
  info(): Promise<Schedule>;
  /** Returns when it is due in a range, with jitter; at most 1,000 times. */
  times(range: { from: Date; until: Date }): Promise<Date[]>;
  /** Stops it from starting runs until it is resumed. */
  pause(note?: string): Promise<Schedule>;
  /** Resumes with the next time, without the missed ones. */
  resume(note?: string): Promise<Schedule>;
  /** Runs it once now and returns the task. */
  run(options?: { overlap?: Overlap }): Promise<ScheduleRun>;
  /** Removes it; its active runs continue. */
  remove(): Promise<void>;
}

/** A job that has not ended. */
export interface RunningJob {
  id: string;
  name: string;
  status: Tracker['status'];
  /** Null while no worker runs its handler. */
  workerId: string | null;
  createTime: string;
}

/** A worker that polls for jobs, as Temporal reports it. */
export interface JobWorker {
  workerId: string;
  /** Names of its queues; `default` is the unnamed one. */
  queues: string[];
  /** When it last polled; at most a minute ago for a live worker. */
  lastSeen: string;
  /** Ids of the jobs that it runs. */
  running: string[];
}

/** Inspects jobs and workers through Temporal, so the result is the same in every process. */
export interface JobControl {
  /** Lists jobs that have not ended; with `name`, only those of this name. */
  running(filter?: { name?: string }): Promise<RunningJob[]>;
  /** Cancels a job and waits until it has stopped, for at most ten seconds. */
  cancel(taskId: string, reason?: string): Promise<Tracker>;
  /** Lists the workers of the default queue and of the named ones. */
  workers(queues?: readonly string[]): Promise<JobWorker[]>;
}

/** The connection through which a registry's tasks are sent. */
export interface JobConnection {
  client: Client;
  /** The Temporal task queue of the workflows, as in `REEMBED_TASK_QUEUE`. */
  taskQueue: string;
  /** Called before the first job is sent: throws if no worker would receive it. */
  check?: (() => Promise<void>) | undefined;
}

/** Definitions by name, and the connection through which they are sent. */
export interface Registry {
  /** All definitions, in order of creation. */
  readonly tasks: readonly AnyTask[];
  get(name: string): AnyTask | undefined;
  /** Adds a definition. @throws ReembedError `NameTaken` if another definition has the name */
  add(task: AnyTask): void;
  /** The schedules that the code declares, in order of declaration. */
  readonly schedules: readonly DeclaredSchedule[];
  /** Declares a schedule. @throws ReembedError `NameTaken` if the task already has one with this key */
  declare(schedule: DeclaredSchedule): void;
  /** Sends jobs through this connection from now on. */
  connect(connection: JobConnection): void;
  readonly isConnected: boolean;
  /** @throws ReembedError `NotConnected` */
  readonly connection: JobConnection;
}
