import type { ScheduleDescription, ScheduleExecutionResult, ScheduleOverlapPolicy } from '@temporalio/client';
import { durationText } from '../../contract/durations.ts';
import { intervalText } from '../../contract/every.ts';
import { OVERLAPS, type Overlap, type Schedule, scheduledTypeSchema } from '../../contract/schedules.ts';
import { typeOfWorkflow } from '../../contract/task-types.ts';
import type { ScheduleSignature } from './ids.ts';

/** The fields of a run's argument that are not options. */
interface RunArgument {
  name?: string;
  input?: unknown;
}

/** Stored in the memo of the schedule's action, which an update can change. */
export interface ScheduleMemo {
  schedule: {
    key: string;
    declared: boolean;
    /** Hash of the calculated times of a cron expression. */
    times?: string;
  };
}

/**
 * Converts Temporal's schedule, including changes made with other tools. The cron expression is read from its comment,
 * since Temporal parses expressions and does not keep their text.
 */
export function toSchedule(description: ScheduleDescription, { name, key }: ScheduleSignature): Schedule {
  const { action, spec, policies, state, info } = description;
  const argument = ((action.args ?? [])[0] ?? {}) as RunArgument;
  const { success, data: type } = scheduledTypeSchema.safeParse(typeOfWorkflow(action.workflowType));
  const isJob = !success || type === 'job';
  const { name: _name, input, ...options } = isJob ? argument : { input: argument };
  const memo = action.memo as Partial<ScheduleMemo> | undefined;
  return {
    id: description.scheduleId,
    name,
    key,
    type: isJob ? 'job' : type,
    ...everyOf(spec),
    jitter: durationText(spec.jitter ?? 0),
    overlap: overlapOf(policies.overlap),
    catchUp: durationText(policies.catchupWindow),
    paused: state.paused,
    note: state.note ?? '',
    ...(input !== undefined && { input }),
    options,
    declared: memo?.schedule?.declared === true,
    nextTimes: state.paused ? [] : info.nextActionTimes.map((time) => time.toISOString()),
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    recent: info.recentActions.map(recentOf).reverse(),
    counts: {
      started: info.numActionsTaken,
      skipped: info.numActionsSkippedOverlap,
      missed: info.numActionsMissedCatchupWindow,
    },
    createTime: info.createdAt.toISOString(),
    updateTime: info.lastUpdatedAt?.toISOString() ?? null,
  };
}

/** Builds the comment of an expression in a time zone whose times are sent to Temporal in UTC. */
export function commentIn(every: string | number, timeZone: string): string {
  return `${String(every).trim()} in ${timeZone}`;
}

function everyOf(spec: ScheduleDescription['spec']): Pick<Schedule, 'every' | 'timeZone'> {
  const { intervals = [], calendars = [] } = spec;
  const timeZone = spec.timezone || null;
  const [interval] = intervals;
  if (interval && intervals.length === 1 && calendars.length === 0 && !interval.offset) {
    return { every: intervalText(interval.every / 1_000), timeZone };
  }
  const comments = new Set(calendars.map(({ comment }) => comment));
  const [comment] = comments;
  if (intervals.length > 0 || comments.size !== 1 || !comment) return { every: null, timeZone };
  const [every = comment, zone] = comment.split(' in ');
  return { every, timeZone: zone ?? timeZone };
}

/** Converts a policy: Temporal's constants are our names in upper case. */
export function policyOf(overlap: Overlap): ScheduleOverlapPolicy {
  return overlap.toUpperCase() as ScheduleOverlapPolicy;
}

function overlapOf(policy: ScheduleOverlapPolicy): Overlap {
  return OVERLAPS.find((overlap) => policyOf(overlap) === policy) ?? 'skip';
}

function recentOf({ scheduledAt, takenAt, action }: ScheduleExecutionResult): Schedule['recent'][number] {
  return {
    dueTime: scheduledAt.toISOString(),
    startTime: takenAt.toISOString(),
    taskId: action.workflow.workflowId,
  };
}
