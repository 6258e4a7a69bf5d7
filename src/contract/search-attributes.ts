import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from './names.ts';
import type { TaskStatus } from './status.ts';
import type { TaskType } from './task-types.ts';

/** The search attributes of tasks with their types, for clients and workflows. */
export const KEYS = {
  type: defineSearchAttributeKey('TaskType', SEARCH_ATTRIBUTES.TaskType),
  status: defineSearchAttributeKey('TaskStatus', SEARCH_ATTRIBUTES.TaskStatus),
  parentId: defineSearchAttributeKey('TaskParent', SEARCH_ATTRIBUTES.TaskParent),
  replaces: defineSearchAttributeKey('TaskReplaces', SEARCH_ATTRIBUTES.TaskReplaces),
  jobName: defineSearchAttributeKey('JobName', SEARCH_ATTRIBUTES.JobName),
  jobLane: defineSearchAttributeKey('JobLane', SEARCH_ATTRIBUTES.JobLane),
  createTime: defineSearchAttributeKey('TaskCreateTime', SEARCH_ATTRIBUTES.TaskCreateTime),
  indexes: defineSearchAttributeKey('TaskIndex', SEARCH_ATTRIBUTES.TaskIndex),
  hasFailedItems: defineSearchAttributeKey('TaskHasFailedItems', SEARCH_ATTRIBUTES.TaskHasFailedItems),
} as const;

/** What lists show of a task and filter it by. */
export interface ListedFacts {
  type?: TaskType;
  status?: TaskStatus;
  /** Null or undefined for a task that no other one started. */
  parentId?: string | null | undefined;
  /** Run id of the ended run that this run replaces. */
  replaces?: string | undefined;
  /** Name of a job's definition. */
  jobName?: string | undefined;
  /** Lane in which other jobs wait for this job. */
  jobLane?: string | undefined;
  /** Only for runs that continue a task: of the first run, it is the start. */
  createTime?: string | undefined;
  /** Names of the indexes that the task concerns. */
  indexes?: readonly string[] | undefined;
  /** Whether the task has items that it could not write. */
  hasFailedItems?: boolean | undefined;
}

/** Builds the search attributes for those of the facts that are there. */
export function searchAttributes(facts: ListedFacts): SearchAttributePair[] {
  const { type, status, parentId, replaces, jobName, jobLane, createTime, indexes, hasFailedItems } = facts;
  const pairs: SearchAttributePair[] = [];
  if (status !== undefined) pairs.push({ key: KEYS.status, value: status });
  if (type !== undefined) pairs.push({ key: KEYS.type, value: type });
  if (indexes !== undefined) pairs.push({ key: KEYS.indexes, value: [...indexes] });
  if (jobName !== undefined) pairs.push({ key: KEYS.jobName, value: jobName });
  if (jobLane !== undefined) pairs.push({ key: KEYS.jobLane, value: jobLane });
  if (parentId != null) pairs.push({ key: KEYS.parentId, value: parentId });
  if (createTime !== undefined) pairs.push({ key: KEYS.createTime, value: new Date(createTime) });
  if (replaces !== undefined) pairs.push({ key: KEYS.replaces, value: replaces });
  if (hasFailedItems !== undefined) pairs.push({ key: KEYS.hasFailedItems, value: hasFailedItems });
  return pairs;
}
