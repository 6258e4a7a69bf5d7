import { type WorkflowInfo, workflowInfo } from '@temporalio/workflow';
import type { ControlActivities } from '../contract/activities.ts';
import type { TaskType } from '../contract/tasks.ts';
import type { Carried } from '../contract/workflow-inputs.ts';
import { control } from './activities.ts';
import type { Task } from './task.ts';

/** Checks what a task was started with as it came, gives it its version and stages its items. */
export function admit(
  task: Task,
  type: TaskType,
  input: unknown,
  previous: Carried | undefined,
): ReturnType<ControlActivities['admit']> {
  const { id: taskId, tracker } = task;
  const chain = chainOf(workflowInfo());
  return control.admit({ taskId, chain, type, input, version: tracker.version, again: previous !== undefined });
}

/**
 * Names the start that this run belongs to: runs that continue or retry one another belong to one, a second start of the
 * same id and each time of a cron schedule to another.
 */
export function chainOf({ firstExecutionRunId, runId, cronSchedule }: WorkflowInfo): string {
  return cronSchedule ? runId : firstExecutionRunId;
}
