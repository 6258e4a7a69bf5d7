import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import pLimit from 'p-limit';

const { EventType, WorkflowTaskFailedCause } = temporal.api.enums.v1;

export interface HistoryFacts {
  /** `ID: cause: message` of every workflow task that failed, whatever the result of the workflow. */
  failedTasks: string[];
  /** Builds that have completed workflow tasks of each workflow, in their order. */
  builds: Map<string, string[]>;
}

/** Reads the histories of all workflows of the task queue. */
export async function readHistories(client: Client, taskQueue: string): Promise<HistoryFacts> {
  const facts: HistoryFacts = { failedTasks: [], builds: new Map() };
  const limit = pLimit(8);
  const reading: Promise<void>[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query: `TaskQueue = '${taskQueue}'` })) {
    reading.push(limit(() => read(client, workflowId, runId, facts)));
  }
  await Promise.all(reading);
  return facts;
}

async function read(client: Client, workflowId: string, runId: string, facts: HistoryFacts): Promise<void> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const builds = facts.builds.get(workflowId) ?? [];
  for (const { eventType, ...event } of events ?? []) {
    const failed = event.workflowTaskFailedEventAttributes;
    // A signal that arrives while a workflow ends: Temporal runs it again. That is not an error.
    if (failed && failed.cause !== WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND) {
      const cause = WorkflowTaskFailedCause[failed.cause ?? 0];
      facts.failedTasks.push(`${workflowId}: ${cause}: ${failed.failure?.message}`);
    }
    if (eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) continue;
    const build = event.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? 'none';
    if (builds.at(-1) !== build) builds.push(build);
  }
  facts.builds.set(workflowId, builds);
}

/** The activities that a workflow has scheduled, in order. */
export async function activitiesOf(client: Client, workflowId: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

/** Waits until the workflow has ended. @throws when a task of it has failed repeatedly */
export async function stuckTask(client: Client, workflowId: string): Promise<void> {
  for (;;) {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    const attempt = raw.pendingWorkflowTask?.attempt ?? 1;
    if (attempt > 3) throw new Error(`${workflowId} is stuck at a workflow task, in attempt ${attempt}`);
    if (status.name !== 'RUNNING') return;
    await sleep(200);
  }
}
