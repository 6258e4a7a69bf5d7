import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { Duration } from '../../contract/duration-schema.ts';
import { HAND_OVER_VERSION } from '../../contract/hand-over.ts';
import { PRIORITY } from '../../contract/names.ts';
import type { RetiredIndex } from '../../contract/reindex-state.ts';
import { deleteIndex } from '../delete-index.ts';
import type { TaskContext } from '../task/types.ts';

/** Starts the deletion of an index, now or later, as a separate task that can be watched and canceled. */
export async function startDeletion(
  task: TaskContext,
  { id, summary, index, after, retired }: DeletionOfIndex,
): Promise<void> {
  await startChild(deleteIndex, {
    workflowId: id,
    staticSummary: summary,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    priority: { priorityKey: PRIORITY.copy },
    args: [
      { index, after },
      { v: HAND_OVER_VERSION, retired: { parentId: task.id, ...retired } },
    ],
  });
}

interface DeletionOfIndex {
  id: string;
  summary: string;
  index: string;
  after?: Duration | undefined;
  retired: Omit<RetiredIndex, 'parentId'>;
}
