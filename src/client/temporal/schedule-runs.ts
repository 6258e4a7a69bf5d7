import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import { optionalDateToTs, tsToDate } from '@temporalio/common/lib/time.js';
import type { Overlap, ScheduleRun } from '../../contract/schedules.ts';
import { type ScheduleSignature, scheduleIdOf } from './schedule-ids.ts';
import { policyOf } from './schedule-view.ts';
import { handleCall } from './schedules.ts';

/** Temporal names a run by the second in which it is due, and drops another one of the same second. */
const BETWEEN_RUNS_MS = 1_000;
/** How long the answer waits for a run to begin. */
const SETTLE_MS = 3_000;
const POLL_MS = 50;

/**
 * Runs a schedule once more, now; its times stay as they are, and a paused one runs too. What one that runs means for
 * it is said by `overlap`, if not given by the schedule's own policy. Errors: `ScheduleNotFound`, `TemporalUnavailable`.
 */
export async function runSchedule(
  client: Client,
  signature: ScheduleSignature,
  options: { overlap?: Overlap } = {},
): Promise<ScheduleRun> {
  const describe = () => handleCall(client, signature, (handle) => handle.describe());
  const before = await describe();
  const lastMs = before.info.recentActions.at(-1)?.takenAt.getTime() ?? 0;
  await delay(Math.min(BETWEEN_RUNS_MS, Math.max(0, lastMs + BETWEEN_RUNS_MS - Date.now())));
  const policy = options.overlap === undefined ? before.policies.overlap : policyOf(options.overlap);
  await handleCall(client, signature, (handle) => handle.trigger(policy));
  const seen = new Set(taskIdsOf(before));
  for (const endMs = Date.now() + SETTLE_MS; ; await delay(POLL_MS)) {
    const now = await describe();
    const taskId = taskIdsOf(now).find((id) => !seen.has(id));
    if (taskId !== undefined) return { outcome: 'started', taskId };
    if (now.info.numActionsSkippedOverlap > before.info.numActionsSkippedOverlap) {
      return { outcome: 'skipped', taskId: null };
    }
    if (Date.now() >= endMs) return { outcome: 'held', taskId: null };
  }
}

function taskIdsOf({ info }: ScheduleDescription): string[] {
  return info.recentActions.map(({ action }) => action.workflow.workflowId);
}

/**
 * The times at which a schedule is due from one moment to another, as Temporal works them out: at most 1,000, with
 * jitter, and whether it is paused or not. Errors: `ScheduleNotFound`, `TemporalUnavailable`.
 */
export async function scheduleTimes(
  client: Client,
  signature: ScheduleSignature,
  range: { from: Date; until: Date },
): Promise<Date[]> {
  const request = {
    namespace: client.options.namespace,
    scheduleId: scheduleIdOf(signature),
    startTime: optionalDateToTs(range.from),
    endTime: optionalDateToTs(range.until),
  };
  // The service's own answer for one that is not there would be that of any workflow.
  await handleCall(client, signature, (handle) => handle.describe());
  const answer = await handleCall(client, signature, () => client.workflowService.listScheduleMatchingTimes(request));
  return (answer.startTime ?? []).map((time) => tsToDate(time));
}
