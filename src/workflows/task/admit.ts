import { type WorkflowInfo, workflowInfo } from '@temporalio/workflow';
import type { ControlActivities } from '../../contract/activities.ts';
import type { Carried } from '../../contract/hand-over.ts';
import type { TaskType } from '../../contract/task-types.ts';
import { control } from '../activities.ts';
import type { TaskContext } from './types.ts';

/** Validates the task's input as it was received, assigns its version and stages its items. */
export function admit(
  task: TaskContext,
  type: TaskType,
  input: unknown,
  previous: Carried | undefined,
): ReturnType<ControlActivities['admit']> {
  const { id: taskId, tracker } = task;
  const chain = chainOf(workflowInfo());
  return control.admit({ taskId, chain, type, input, version: tracker.version, again: previous !== undefined });
}

/**
 * Returns an id of the start that this run belongs to. Runs that continue or retry one another share it; a second start
 * of the same id and each run of a cron schedule have their own.
 */
export function chainOf({ firstExecutionRunId, runId, cronSchedule }: WorkflowInfo): string {
  return cronSchedule ? runId : firstExecutionRunId;
}
