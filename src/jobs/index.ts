/**
 * Jobs: functions of your own as durable tasks.
 * @module reembed/jobs
 */
export type { CallOptions, CodeCallOptions, DefinitionOptions, Isolate, OnDuplicate } from '../contract/jobs.ts';
export type { ScheduledOptions } from '../contract/schedule-request.ts';
export type { Overlap, Schedule, ScheduleRun } from '../contract/schedules.ts';
export type { Tracker } from '../contract/tasks.ts';
export { type ConnectJobsOptions, connectJobs } from './connect.ts';
export type { JobControl, JobWorker, RunningJob } from './control.ts';
export { type Definition, defineTask, isTask } from './define.ts';
export { NonRetryableError } from './errors.ts';
export type { JobHandle, SentJob, WaitOptions } from './handle.ts';
export type { Bound, BoundHandler, Handler, JobLog } from './handler.ts';
export { createRegistry, globalRegistry, type JobConnection, type Registry } from './registry.ts';
export type { ScheduleHandle } from './schedule-handle.ts';
export { type BroughtInLine, bringSchedulesInLine, type EveryOptions, type ScheduleOptions } from './schedules.ts';
export type { AnyTask, Task } from './task.ts';
