import type { z } from 'zod';
import type { CodeCallOptions, DefinitionOptions } from '../contract/jobs.ts';
import type { JobHandle, SentJob } from './handle.ts';
import type { BoundHandler, Handler } from './handler.ts';
import type { Registry } from './registry.ts';
import type { ScheduleHandle } from './schedule-handle.ts';
import type { EveryOptions } from './schedules.ts';

/** A function of the user's own, as a durable task: made by `defineTask`. `Given` is its input before its schema. */
export interface Task<Given, Input, Result> {
  readonly name: string;
  /** What it does, for people. */
  readonly description?: string | undefined;
  readonly input: z.ZodType<Input, Given>;
  readonly options: DefinitionOptions<Input>;
  readonly handler: Handler<Input, Result> | BoundHandler<Input, Result>;
  readonly registry: Registry;

  /**
   * Sends it, with the options of its definition. Resolves when it is accepted, which is not when it has run.
   * Errors: `InvalidInput`, `TooLarge`, `NotConnected`, `TemporalUnavailable`.
   */
  delay(input: Given): Promise<SentJob<Result>>;

  /**
   * Sends it with options of this one call, which win over those of the definition. Errors: as `delay`, and
   * `TaskLocked` when `taskId` belongs to a job with another name or input.
   *
   * @example
   * const sent = await sendMail.applyAsync({ to: 'a@example.com' }, { queue: 'mail', timeout: '30s' });
   */
  applyAsync(input: Given, options?: CodeCallOptions<Input>): Promise<SentJob<Result>>;

  /** Sends it to run at this time: perhaps later, never before. Errors: as `applyAsync`. */
  at(
    date: Date | string,
    input: Given,
    options?: Omit<CodeCallOptions<Input>, 'at' | 'delay'>,
  ): Promise<SentJob<Result>>;

  /**
   * Declares that it runs every so often: after equal lengths of time (`1m`, a number of seconds) or at the times of a
   * cron expression. To be called where the task is defined: workers that start make the schedule, or change it. For
   * schedules that come and go while the application runs there is `schedule`.
   * Errors: `InvalidInput` for bad times or options, `NameTaken` for two of one key.
   *
   * @example
   * checkExpiry.every('1m', undefined, { overlap: 'skip' });
   * report.every('0 9 * * MON-FRI', { to: 'all' }, { timeZone: 'Europe/Berlin' });
   */
  every(every: string | number, input: Given, options?: EveryOptions): ScheduleHandle<Given>;

  /** Its schedule of this key, `default` if not given, whether there is one yet or not. */
  schedule(key?: string): ScheduleHandle<Given>;

  /** A job that was sent before, by its id. */
  handle(taskId: string): JobHandle<Result>;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds tasks of all inputs and results
export type AnyTask = Task<any, any, any>;
