/**
 * Jobs: your functions as durable tasks.
 * @module reembed/jobs
 */
export type { CallOptions, CodeCallOptions, DefinitionOptions, Isolate, OnDuplicate } from '../contract/jobs.ts';
export type { ScheduledOptions } from '../contract/schedule-request.ts';
export type { Overlap, Schedule, ScheduleRun } from '../contract/schedules.ts';
export type { Tracker } from '../contract/tasks.ts';
export { type ConnectJobsOptions, connectJobs } from './connect.ts';
export { type Definition, defineTask, isTask } from './define.ts';
export { NonRetryableError } from './errors.ts';
export { createRegistry, globalRegistry } from './registry.ts';
export { type SyncResult, syncSchedules } from './schedules.ts';
export type {
  AnyTask,
  Bound,
  BoundHandler,
  EveryOptions,
  Handler,
  JobConnection,
  JobControl,
  JobHandle,
  JobLog,
  JobWorker,
  Registry,
  RunningJob,
  ScheduleHandle,
  ScheduleOptions,
  SentJob,
  Task,
  WaitOptions,
} from './types.ts';
