import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import proto from '@temporalio/proto';
import { paceText, type TaskPace } from '../../contract/task-pace.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** A worker with a free slot takes up a step much sooner. */
const MIN_WAIT_MS = 5_000;
/** A slice reports after each step, which takes about ten seconds; after that, its reindex looks at it. */
const QUIET_MS = 15_000;
/** Of many slices that run at once, a few tell whether there are workers. */
const MAX_CHILDREN = 4;

// A CommonJS module whose named exports Node cannot detect.
const { PENDING_ACTIVITY_STATE_SCHEDULED: SCHEDULED } = proto.temporal.api.enums.v1.PendingActivityState;

type Raw = WorkflowExecutionDescription['raw'];

/** The pace of a task that no worker takes up. */
export function workerPace(): TaskPace {
  const pace = { reason: 'worker', share: null, until: null } as const;
  return { ...pace, text: paceText(pace) };
}

/**
 * Adds to the tracker of a running task that it waits for a worker. The task cannot know it: only Temporal sees that
 * nobody has taken up what is scheduled.
 */
export async function withWorkerWait(client: Client, raw: Raw, tracker: Tracker, nowMs: number): Promise<Tracker> {
  if (tracker.status !== 'processing') return tracker;
  if (!(await isWaiting(client, raw, tracker, nowMs))) return tracker;
  return { ...tracker, pace: workerPace() };
}

async function isWaiting(client: Client, raw: Raw, { updateTime }: Tracker, nowMs: number): Promise<boolean> {
  if (waitsForWorker(raw, nowMs)) return true;
  const children = (raw.pendingChildren ?? []).slice(0, MAX_CHILDREN);
  if (children.length === 0 || nowMs - Date.parse(updateTime) < QUIET_MS) return false;
  const waits = await Promise.all(
    children.map(async ({ workflowId }) => {
      // One that cannot be described, because it has just ended, is not waiting.
      const child = await client.workflow
        .getHandle(workflowId ?? '')
        .describe()
        .catch(() => null);
      return child !== null && waitsForWorker(child.raw, nowMs);
    }),
  );
  return waits.every(Boolean);
}

/** Whether activities are due and no worker has started any of them. */
export function waitsForWorker({ pendingActivities }: Pick<Raw, 'pendingActivities'>, nowMs: number): boolean {
  const pending = pendingActivities ?? [];
  return (
    pending.length > 0 &&
    pending.every(({ state, scheduledTime, nextAttemptScheduleTime }) => {
      const { seconds } = nextAttemptScheduleTime ?? scheduledTime ?? {};
      // The time of a retry that is not due yet lies in the future.
      return state === SCHEDULED && seconds != null && nowMs - Number(seconds) * 1_000 >= MIN_WAIT_MS;
    })
  );
}
