import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { WORKFLOW } from '../contract/names.ts';

/** Returns the schedule's id, for `temporal schedule describe --schedule-id reembed-maintenance-<queue>`. */
export function maintenanceScheduleId(taskQueue: string): string {
  return `reembed-maintenance-${taskQueue}`;
}

/** Creates the schedule that starts `maintain` every hour, unless it exists; keeps changes made by an operator. */
export async function ensureMaintenanceSchedule(client: Client, taskQueue: string): Promise<void> {
  const scheduleId = maintenanceScheduleId(taskQueue);
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '1 hour' }], jitter: '5 minutes' },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOW.maintain,
        workflowId: scheduleId,
        taskQueue,
        args: [],
        staticSummary: 'removes old tombstones and leftovers of ended tasks',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
