import type { ScheduleRequest } from '../contract/schedule-request.ts';
import {
  type Overlap,
  type Schedule,
  type ScheduleList,
  type ScheduleRun,
  scheduleListSchema,
  scheduleNextSchema,
  scheduleRunSchema,
  scheduleSchema,
} from '../contract/schedules.ts';
import { readAs, type Send, segment } from './request.ts';

export interface ScheduleFilter {
  /** Only the schedules of this job. */
  name?: string;
  limit?: number;
  cursor?: string | null;
}

export function scheduleCalls(send: Send) {
  const pathOf = (name: string, key: string) => `/v1/schedules/${segment(name)}/${segment(key)}`;

  async function steer(name: string, key: string, verb: string, note: string | undefined): Promise<Schedule> {
    return readAs(await send('PUT', `${pathOf(name, key)}/${verb}`, { query: { note } }), scheduleSchema);
  }

  return {
    /**
     * Creates the schedule of a job and key, or changes it according to `ifExists`. Errors: `InvalidInput`,
     * `JobUnknown`, `ScheduleExists`.
     */
    async put(name: string, key: string, request: ScheduleRequest): Promise<Schedule> {
      return readAs(await send('PUT', pathOf(name, key), { json: request }), scheduleSchema);
    },
    /** Error of this and the following calls with a key: `ScheduleNotFound`. */
    async get(name: string, key: string): Promise<Schedule> {
      return readAs(await send('GET', pathOf(name, key)), scheduleSchema);
    },
    async list(filter: ScheduleFilter = {}): Promise<ScheduleList> {
      return readAs(await send('GET', '/v1/schedules', { query: { ...filter } }), scheduleListSchema);
    },
    pause: (name: string, key: string, note?: string) => steer(name, key, 'pause', note),
    resume: (name: string, key: string, note?: string) => steer(name, key, 'resume', note),
    /** Runs the schedule once now and returns the task. */
    async run(name: string, key: string, options: { overlap?: Overlap } = {}): Promise<ScheduleRun> {
      return readAs(await send('POST', `${pathOf(name, key)}/run`, { query: { ...options } }), scheduleRunSchema);
    },
    /** Returns when the schedule is due in a range; default: the next week. At most 1,000 times. */
    async times(name: string, key: string, range: { from?: Date; until?: Date } = {}): Promise<Date[]> {
      const query = { from: range.from?.toISOString(), until: range.until?.toISOString() };
      const { times } = await readAs(await send('GET', `${pathOf(name, key)}/times`, { query }), scheduleNextSchema);
      return times.map((time) => new Date(time));
    },
    /** Removes the schedule; its active runs continue. */
    async remove(name: string, key: string): Promise<void> {
      await send('DELETE', pathOf(name, key));
    },
  };
}
