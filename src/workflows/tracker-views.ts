import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { WorkflowInfo } from '@temporalio/workflow';
import { LIMITS } from '../contract/limits.ts';
import type { Tracker } from '../contract/tasks.ts';
import { text } from './shapes.ts';
import type { TaskSpec } from './task.ts';

// What a person started a workflow with may be anything, and a value that is too long stops the workflow for good.

const taskType = defineSearchAttributeKey('TaskType', 'KEYWORD');
const taskStatus = defineSearchAttributeKey('TaskStatus', 'KEYWORD');
const taskParent = defineSearchAttributeKey('TaskParent', 'KEYWORD');
const jobName = defineSearchAttributeKey('JobName', 'KEYWORD');
const taskCreateTime = defineSearchAttributeKey('TaskCreateTime', 'DATETIME');
const taskIndex = defineSearchAttributeKey('TaskIndex', 'KEYWORD_LIST');

/** True when the type, indexes and parent of the task are among its search attributes. */
export function isAnnounced(info: WorkflowInfo): boolean {
  return info.typedSearchAttributes.get(taskType) !== undefined;
}

/** The search attributes of a task: only the status once the others are known. */
export function searchAttributesOf(
  tracker: Tracker,
  { indexes, jobName: name }: Pick<TaskSpec, 'indexes' | 'jobName'>,
  announced: boolean,
): SearchAttributePair[] {
  const status: SearchAttributePair = { key: taskStatus, value: tracker.status };
  if (announced) return [status];
  return [
    status,
    { key: taskType, value: tracker.type },
    name === undefined
      ? { key: taskIndex, value: indexes.filter((index) => text(LIMITS.nameChars)(index) === undefined) }
      : { key: jobName, value: name },
    ...(tracker.parentId === null ? [] : [{ key: taskParent, value: tracker.parentId } as SearchAttributePair]),
  ];
}

/** Those a child is started with, so that a list shows it as what it is from the first moment. */
export function childAttributes(type: Tracker['type'], parentId: string): SearchAttributePair[] {
  return [
    { key: taskType, value: type },
    { key: taskStatus, value: 'processing' },
    { key: taskParent, value: parentId },
  ];
}

/** What the next run of the task is to be started with beside what this one has: lists go by when tasks were created. */
export function nextRunAttributes({ createTime }: Tracker): SearchAttributePair[] {
  return [{ key: taskCreateTime, value: new Date(createTime) }];
}

/** What the Temporal UI shows as current details, in Markdown. */
export function currentDetails(tracker: Tracker): string {
  const { progress } = tracker;
  const lines = [
    `**${tracker.status}** — attempt ${tracker.attempts} of ${tracker.maxAttempts}`,
    tracker.detail,
    progress.total > 0
      ? `${progress.done} of ${progress.total} done, ${progress.failed} failed, ${progress.perSecond} per second` +
        (progress.etaSeconds ? `, about ${progress.etaSeconds} s left` : '')
      : '',
    tracker.errors[0] ? `Last error: \`${tracker.errors[0].type}\` ${tracker.errors[0].message.slice(0, 300)}` : '',
  ];
  return lines.filter((line) => line !== '').join('\n\n');
}
