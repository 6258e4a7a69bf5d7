import { Context } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { priorityOf } from '../client/temporal/jobs.ts';
import { enterLane } from '../client/temporal/lane.ts';
import { launch } from '../client/temporal/launch.ts';
import { quote } from '../client/temporal/task-filter.ts';
import { listExecutions } from '../client/temporal/visibility.ts';
import type { LaneActivities } from '../contract/activities.ts';
import { HAND_OVER_VERSION } from '../contract/workflow-inputs.ts';

const MOST_PARALLEL = 100;

/** What jobs and their lanes ask of Temporal. */
export function createLaneActivities({ client }: { client: Client }): LaneActivities {
  const taskQueue = () => Context.current().info.taskQueue;
  return {
    enterLane: ({ laneId, request }) => enterLane(client, { laneId, request, taskQueue: taskQueue() }),

    async startJob({ taskId, job, plan, turn, inputHash }) {
      try {
        const { links } = await launch(client, {
          type: 'job',
          taskId,
          input: job,
          handOver: { v: HAND_OVER_VERSION, plan, turn },
          taskQueue: taskQueue(),
          inputHash: inputHash ?? undefined,
          reuse: 'REJECT_DUPLICATE',
          // A second try of this activity finds what the first one has started.
          requestId: `by-lane-${taskId}`,
          ...priorityOf(client, job, plan),
        });
        return links.runId;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
        throw error;
      }
    },

    async parallelJobs(laneId) {
      // One that waits for its time has not asked for its turn, as others in this state have not.
      const query = `JobLane = ${quote(laneId)} AND ExecutionStatus = 'Running' AND TaskStatus != 'waiting'`;
      const { executions } = await listExecutions(client, query, MOST_PARALLEL);
      return executions.flatMap(({ execution }) =>
        execution?.workflowId && execution.runId ? { taskId: execution.workflowId, runId: execution.runId } : [],
      );
    },

    async isJobOpen({ taskId, runId }) {
      try {
        const { status } = await client.workflow.getHandle(taskId, runId).describe();
        return status.name === 'RUNNING' || status.name === 'PAUSED';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  };
}
