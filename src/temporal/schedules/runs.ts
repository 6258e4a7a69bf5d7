import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Overlap, ScheduleRun } from '../../contract/schedules.ts';
import { optionalDateToTs, tsToDate } from '../sdk-internals.ts';
import { type ScheduleSignature, scheduleIdOf } from './ids.ts';
import { handleCall } from './schedules.ts';
import { policyOf } from './view.ts';

/** Min. time between two runs: Temporal names a run by the second in which it is due, and drops a second one. */
const BETWEEN_RUNS_MS = 1_000;
/** Max. time that the response waits for a run to begin: a busy Temporal needs seconds for the first one. */
const SETTLE_MS = 10_000;
const POLL_MS = 50;

/**
 * Runs a schedule once now, even if it is paused; its times do not change. `overlap` decides what happens if a run is
 * active (default: the schedule's policy). Errors: `ScheduleNotFound`, `TemporalUnavailable`.
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
  const buffers = policy === 'BUFFER_ONE' || policy === 'BUFFER_ALL';
  await handleCall(client, signature, (handle) => handle.trigger(policy));
  const seen = new Set(taskIdsOf(before));
  for (const endMs = Date.now() + SETTLE_MS; ; await delay(POLL_MS)) {
    const now = await describe();
    const taskId = taskIdsOf(now).find((id) => !seen.has(id));
    if (taskId !== undefined) return { outcome: 'started', taskId };
    if (now.info.numActionsSkippedOverlap > before.info.numActionsSkippedOverlap) {
      return { outcome: 'skipped', taskId: null };
    }
    const isBuffered = buffers && bufferedOf(now) > bufferedOf(before);
    if (isBuffered || Date.now() >= endMs) return { outcome: 'held', taskId: null };
  }
}

/** Returns the number of runs that wait for the active one; a run that is about to start is buffered, too. */
function bufferedOf({ raw, info }: ScheduleDescription): number {
  return info.runningActions.length > 0 ? Number(raw.info?.bufferSize ?? 0) : 0;
}

function taskIdsOf({ info }: ScheduleDescription): string[] {
  return info.recentActions.map(({ action }) => action.workflow.workflowId);
}

/**
 * Returns the times at which a schedule is due in a range, as Temporal calculates them: at most 1,000, with jitter,
 * even if the schedule is paused. Errors: `ScheduleNotFound`, `TemporalUnavailable`.
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
  // For a missing schedule, this service reports the same error as for a missing workflow.
  await handleCall(client, signature, (handle) => handle.describe());
  const answer = await handleCall(client, signature, () => client.workflowService.listScheduleMatchingTimes(request));
  return (answer.startTime ?? []).map((time) => tsToDate(time));
}
