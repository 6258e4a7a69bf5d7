import { jobListSchema, jobRunSchema, namedJobRunSchema } from './jobs.ts';
import { scheduleRequestSchema } from './schedule-request.ts';
import { scheduleListSchema, scheduleNextSchema, scheduleRunSchema, scheduleSchema } from './schedules.ts';

/** The schemas of jobs and schedules under the names they have in the OpenAPI document. */

export const jobRunBody = jobRunSchema.meta({
  id: 'JobRun',
  examples: [{ input: { to: 'a@example.com' }, queue: 'mail', timeout: '30s' }],
});
export const namedJobRunBody = namedJobRunSchema.meta({
  id: 'NamedJobRun',
  examples: [{ name: 'send-mail', input: { to: 'a@example.com' } }],
});
export const jobListBody = jobListSchema.meta({ id: 'JobList' });

export const scheduleBody = scheduleSchema.meta({ id: 'Schedule' });
export const scheduleListBody = scheduleListSchema.meta({ id: 'ScheduleList' });
export const scheduleRequestBody = scheduleRequestSchema.meta({
  id: 'ScheduleRequest',
  examples: [{ every: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', input: { to: 'all' } }],
});
export const scheduleRunBody = scheduleRunSchema.meta({ id: 'ScheduleRun' });
export const scheduleNextBody = scheduleNextSchema.meta({ id: 'ScheduleTimes' });
