import { runSchedule, scheduleTimes } from '../client/temporal/schedule-runs.ts';
import {
  getSchedule,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
} from '../client/temporal/schedules.ts';
import type { Overlap, Schedule, ScheduleRun } from '../contract/schedules.ts';
import { checkScheduled } from './known.ts';
import { readSchedule, type ScheduleOptions } from './schedules.ts';
import type { AnyTask } from './task.ts';

/** A schedule of a task, by its key. Errors of all but `put`: `ScheduleNotFound`, `TemporalUnavailable`. */
export interface ScheduleHandle<Given> {
  /** Of the task. */
  readonly name: string;
  readonly key: string;
  /**
   * Makes it, or changes it as `ifExists` says: for schedules that come and go while the application runs, such as one
   * for each customer. Those are never pruned. Errors: `InvalidInput`, `TooLarge`, `ScheduleExists`.
   *
   * @example
   * await report.schedule(`customer-${id}`).put('0 7 * * MON', { customer: id }, { timeZone: 'Europe/Berlin' });
   */
  put(every: string | number, input: Given, options?: ScheduleOptions): Promise<Schedule>;
  /** What it is, when it runs next, and its last runs. */
  info(): Promise<Schedule>;
  /** When it is due in a stretch of time, with jitter: a thousand times at most. */
  times(range: { from: Date; until: Date }): Promise<Date[]>;
  /** Starts nothing any more until it is resumed. */
  pause(note?: string): Promise<Schedule>;
  /** Goes on with the next time; what was due meanwhile is left out. */
  resume(note?: string): Promise<Schedule>;
  /** Runs it once more, now, and tells the task. */
  run(options?: { overlap?: Overlap }): Promise<ScheduleRun>;
  /** Removes it; runs that it has started go on. */
  remove(): Promise<void>;
}

export function createScheduleHandle<Given>(task: AnyTask, key: string): ScheduleHandle<Given> {
  const { name, registry } = task;
  const client = () => registry.connection.client;
  const signature = () => ({ name, key, taskQueue: registry.connection.taskQueue });
  return {
    name,
    key,
    async put(every, given, options) {
      const { task: _task, ...wish } = readSchedule(task, key, { every, input: given, ...options });
      const input = await checkScheduled(task, wish.input, wish.options);
      await registry.connection.check?.();
      return (await putSchedule(client(), { ...wish, ...signature(), input })).schedule;
    },
    info: async () => getSchedule(client(), signature()),
    times: async (range) => scheduleTimes(client(), signature(), range),
    pause: async (note) => pauseSchedule(client(), signature(), note),
    resume: async (note) => resumeSchedule(client(), signature(), note),
    run: async (options) => runSchedule(client(), signature(), options),
    remove: async () => removeSchedule(client(), signature()),
  };
}
