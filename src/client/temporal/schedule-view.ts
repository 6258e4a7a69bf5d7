import type { ScheduleDescription, ScheduleExecutionResult, ScheduleOverlapPolicy } from '@temporalio/client';
import { durationText } from '../../contract/durations.ts';
import { intervalText } from '../../contract/every.ts';
import { OVERLAPS, type Overlap, type Schedule } from '../../contract/schedules.ts';
import type { ScheduleSignature } from './schedule-ids.ts';

/** What of a schedule's runs is no option of theirs. */
interface RunArgument {
  name?: string;
  input?: unknown;
}

/** Left in the memo of the schedule's action, which an update can change. */
export interface ScheduleMemo {
  schedule: { key: string; declared: boolean };
}

/**
 * A schedule as Temporal has it: whatever was changed with other tools is told as it is now. A cron expression is known
 * by the comment that goes with it, since Temporal takes it apart.
 */
export function viewOf(description: ScheduleDescription, { name, key }: ScheduleSignature): Schedule {
  const { action, spec, policies, state, info } = description;
  const { name: _name, input, ...options } = ((action.args ?? [])[0] ?? {}) as RunArgument;
  const memo = action.memo as Partial<ScheduleMemo> | undefined;
  return {
    id: description.scheduleId,
    name,
    key,
    every: everyOf(spec),
    timeZone: spec.timezone || null,
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

function everyOf({ intervals = [], calendars = [] }: ScheduleDescription['spec']): string | null {
  const [interval] = intervals;
  if (interval && intervals.length === 1 && calendars.length === 0 && !interval.offset) {
    return intervalText(interval.every / 1_000);
  }
  const comments = new Set(calendars.map(({ comment }) => comment));
  const [comment] = comments;
  return intervals.length === 0 && comments.size === 1 && comment ? comment : null;
}

/** Temporal's constants are our names in upper case. */
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
