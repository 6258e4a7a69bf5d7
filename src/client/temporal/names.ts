import { defineSearchAttributeKey } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, WORKFLOW } from '../../contract/names.ts';
import type { TaskType } from '../../contract/tasks.ts';

/** The workflow that runs each type of task. */
export const WORKFLOW_OF: Record<TaskType, string> = {
  upsert: WORKFLOW.upsert,
  delete: WORKFLOW.delete,
  reindex: WORKFLOW.reindex,
  'reindex-slice': WORKFLOW.reindexSlice,
  'delete-index': WORKFLOW.deleteIndex,
  job: WORKFLOW.job,
  steer: WORKFLOW.steer,
};

const TYPE_OF = new Map(Object.entries(WORKFLOW_OF).map(([type, workflow]) => [workflow, type as TaskType]));

/** The type of task that a workflow runs; undefined for workflows that are not ours. */
export function typeOfWorkflow(workflowType: string): TaskType | undefined {
  return TYPE_OF.get(workflowType);
}

export const taskTypeKey = defineSearchAttributeKey('TaskType', SEARCH_ATTRIBUTES.TaskType);
export const taskStatusKey = defineSearchAttributeKey('TaskStatus', SEARCH_ATTRIBUTES.TaskStatus);
export const taskParentKey = defineSearchAttributeKey('TaskParent', SEARCH_ATTRIBUTES.TaskParent);
export const taskReplacesKey = defineSearchAttributeKey('TaskReplaces', SEARCH_ATTRIBUTES.TaskReplaces);
export const taskCreateTimeKey = defineSearchAttributeKey('TaskCreateTime', SEARCH_ATTRIBUTES.TaskCreateTime);
export const taskIndexKey = defineSearchAttributeKey('TaskIndex', SEARCH_ATTRIBUTES.TaskIndex);
export const jobNameKey = defineSearchAttributeKey('JobName', SEARCH_ATTRIBUTES.JobName);
export const jobLaneKey = defineSearchAttributeKey('JobLane', SEARCH_ATTRIBUTES.JobLane);
