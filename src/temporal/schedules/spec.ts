import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type {
  ScheduleDescription,
  ScheduleOptionsStartWorkflowAction,
  ScheduleSpec,
  Workflow,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { durationMs } from '../../contract/durations.ts';
import { invalidField } from '../../contract/errors.ts';
import { intervalText, readEvery } from '../../contract/every.ts';
import type { ScheduleTimes } from '../../contract/schedule-request.ts';
import type { Schedule, ScheduledType } from '../../contract/schedules.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { factsOf, TASKS } from '../../contract/task-types.ts';
import { type ScheduleSignature, scheduleIdOf } from './ids.ts';
import { commentIn, policyOf, type ScheduleMemo } from './view.ts';
import { zonedCron } from './zoned-cron.ts';

/** The desired state of a schedule. Must be valid. */
export interface DesiredSchedule extends ScheduleSignature, ScheduleTimes {
  /** What each run is; default: the job of this name. */
  type?: ScheduledType;
  /** Task queue of each run; default: that of the schedule. */
  runQueue?: string;
  /** Omitted for jobs without input. */
  input?: unknown;
  /** Options of each run, as in a call of the job. */
  options?: object;
  /** Whether code declares the schedule each time a worker starts; default: unchanged. */
  declared?: boolean;
}

/** Returns the parts of a schedule in Temporal's form. */
export function partsOf(wish: DesiredSchedule) {
  const { overlap, catchUp } = wish;
  const policies = { overlap: policyOf(overlap), catchupWindow: durationMs(catchUp) };
  return { spec: specOf(wish), action: actionOf(wish), policies };
}

function specOf({ every, timeZone, jitter }: ScheduleTimes): ScheduleSpec {
  const read = readEvery(every);
  if (typeof read === 'string') throw invalidField('every', read);
  const common = { jitter: durationMs(jitter) };
  if (read.kind === 'interval') return { ...common, intervals: [{ every: read.seconds * 1_000 }] };
  const { zone, expressions } =
    timeZone === undefined ? { zone: 'own', expressions: read.expressions } : zonedCron(read.expressions, timeZone);
  const comment = zone === 'utc' && timeZone !== undefined ? commentIn(every, timeZone) : String(every).trim();
  const cronExpressions = expressions.map((expression) => `${expression} # ${comment}`);
  return { ...common, cronExpressions, ...(zone === 'own' && timeZone !== undefined && { timezone: timeZone }) };
}

/** Hashes the calculated times, to see whether Temporal's are up to date: time zones change, and years pass. */
function timesHash(wish: ScheduleTimes): string {
  const { cronExpressions, timezone } = specOf(wish);
  return createHash('sha256')
    .update(JSON.stringify([cronExpressions, timezone]))
    .digest('hex')
    .slice(0, 16);
}

function actionOf(wish: DesiredSchedule): ScheduleOptionsStartWorkflowAction<Workflow> {
  const { name, key, taskQueue, runQueue = taskQueue, type = 'job', declared = false } = wish;
  const memo: ScheduleMemo = { schedule: { key, declared, times: timesHash(wish) } };
  return {
    type: 'startWorkflow',
    workflowType: TASKS[type].workflow,
    workflowId: scheduleIdOf(wish),
    taskQueue: runQueue,
    args: [argumentOf(wish)],
    memo: { ...memo },
    staticSummary:
      type === 'job' ? `job ${name}, scheduled` : `${factsOf(type).summary(argumentOf(wish), undefined)}, scheduled`,
    typedSearchAttributes: new TypedSearchAttributes(
      searchAttributes({ type, status: 'pending', ...(type === 'job' && { jobName: name }) }),
    ),
  };
}

function argumentOf({ name, type = 'job', input, options }: DesiredSchedule): Readonly<Record<string, unknown>> {
  if (type !== 'job') return { ...(input as object) };
  return { name, ...(input !== undefined && { input }), ...options };
}

/** Returns true if an update would change nothing. */
export function isAsWanted(schedule: Schedule, { action }: ScheduleDescription, wish: DesiredSchedule): boolean {
  const memo = action.memo as Partial<ScheduleMemo> | undefined;
  const read = readEvery(wish.every);
  const every =
    typeof read === 'object' && read.kind === 'interval' ? intervalText(read.seconds) : `${wish.every}`.trim();
  const { paused = schedule.paused, note = schedule.note } = wish;
  const wanted = {
    every,
    timeZone: wish.timeZone ?? null,
    times: timesHash(wish) as string | undefined,
    jitterMs: durationMs(wish.jitter),
    catchUpMs: durationMs(wish.catchUp),
    overlap: wish.overlap,
    declared: wish.declared ?? false,
    paused,
    note,
    taskQueue: wish.runQueue ?? wish.taskQueue,
    workflowType: TASKS[wish.type ?? 'job'].workflow as string,
    argument: JSON.parse(JSON.stringify(argumentOf(wish))),
  };
  const { timeZone, overlap, declared, jitter, catchUp } = schedule;
  const is: typeof wanted = {
    every: schedule.every ?? '',
    timeZone,
    times: memo?.schedule?.times,
    jitterMs: durationMs(jitter),
    catchUpMs: durationMs(catchUp),
    overlap,
    declared,
    paused: schedule.paused,
    note: schedule.note,
    taskQueue: action.taskQueue,
    workflowType: action.workflowType,
    argument: (action.args ?? [])[0],
  };
  return isDeepStrictEqual(is, wanted);
}
