import { runSchedule, scheduleTimes } from '../temporal/schedules/runs.ts';
import {
  getSchedule,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
} from '../temporal/schedules/schedules.ts';
import { checkScheduled } from './lookup.ts';
import { readSchedule } from './schedules.ts';
import type { AnyTask, ScheduleHandle } from './types.ts';

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
