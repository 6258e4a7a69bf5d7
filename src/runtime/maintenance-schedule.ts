import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { WORKFLOW } from '../contract/names.ts';

/** Where an operator finds it: `temporal schedule describe --schedule-id reembed-maintenance-<queue>`. */
export function maintenanceScheduleId(taskQueue: string): string {
  return `reembed-maintenance-${taskQueue}`;
}

/** Makes the schedule that starts `maintain` every hour, unless it is there; one an operator has changed is left alone. */
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
        staticSummary: 'removes old tombstones and what ended tasks have left',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
