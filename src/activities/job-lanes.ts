import { Context } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { HAND_OVER_VERSION } from '../contract/hand-over.ts';
import type { LaneActivities } from '../contract/job-activities.ts';
import { enterLane } from '../temporal/jobs/enter-lane.ts';
import { priorityOf } from '../temporal/jobs/start-job.ts';
import { quote } from '../temporal/lists/query.ts';
import { listExecutions } from '../temporal/lists/visibility.ts';
import { type LaunchOptions, launch } from '../temporal/tasks/launch.ts';
import { withinTrace } from '../tracing/temporal.ts';

const MAX_PARALLEL = 100;

/** Activities that jobs and their lanes use to query and start workflows. */
export function createLaneActivities({ client }: { client: Client }): LaneActivities {
  const taskQueue = () => Context.current().info.taskQueue;
  return {
    enterLane: ({ laneId, request }) => enterLane(client, { laneId, request, taskQueue: taskQueue() }),

    async startJob({ taskId, job, plan, turn, inputHash, trace }) {
      try {
        const start: LaunchOptions = {
          type: 'job',
          taskId,
          input: job,
          handOver: { v: HAND_OVER_VERSION, plan, turn },
          taskQueue: taskQueue(),
          inputHash: inputHash ?? undefined,
          reuse: 'REJECT_DUPLICATE',
          // A retry of this activity finds the workflow that the first attempt started.
          requestId: `by-lane-${taskId}`,
          ...priorityOf(client, job, plan),
        };
        const { links } = await withinTrace(trace, () => launch(client, start));
        return links.runId;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
        throw error;
      }
    },

    async parallelJobs(laneId) {
      // A job that waits for its start time, like others in this status, has not asked for its turn.
      const query = `JobLane = ${quote(laneId)} AND ExecutionStatus = 'Running' AND TaskStatus != 'waiting'`;
      const { executions } = await listExecutions(client, query, MAX_PARALLEL);
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
