import type { WorkflowInfo } from '@temporalio/workflow';
import { KEYS, type ListedFacts } from '../../contract/search-attributes.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { isName } from './shapes.ts';
import type { TaskSpec } from './spec.ts';

/**
 * Returns true if the task's type, indexes and job are already among its search attributes. The starter of the workflow
 * can set any of them, and others.
 */
export function isAnnounced(
  { typedSearchAttributes: attributes }: Pick<WorkflowInfo, 'typedSearchAttributes'>,
  { type, indexes, jobName }: Pick<TaskSpec, 'type' | 'indexes' | 'jobName'>,
): boolean {
  if (attributes.get(KEYS.type) !== type) return false;
  if (jobName !== undefined) return attributes.get(KEYS.jobName) === jobName;
  return indexes.length === 0 || attributes.get(KEYS.indexes) !== undefined;
}

/** Returns whether the search attributes say that the task has failed items; a run that is continued inherits them. */
export function isMarkedFailed(info: WorkflowInfo): boolean {
  return info.typedSearchAttributes.get(KEYS.hasFailedItems) === true;
}

/** Returns what lists show of a task; only the status once the rest is announced. */
export function listedFacts(
  { type, status, parentId }: Tracker,
  { indexes, jobName }: Pick<TaskSpec, 'indexes' | 'jobName'>,
  announced: boolean,
): ListedFacts {
  if (announced) return { status };
  if (jobName !== undefined) return { type, status, parentId, jobName };
  // A person may start a workflow with any input, and a search attribute that is too long blocks the workflow
  // permanently.
  const named = indexes.filter(isName);
  return { type, status, parentId, indexes: named };
}

/** Formats the current details for the Temporal UI, in Markdown. */
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
