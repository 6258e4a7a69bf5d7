import { defineSignal, getExternalWorkflowHandle, setHandler, workflowInfo } from '@temporalio/workflow';
import { WAITS } from '../contract/names.ts';
import type { WaitsFor } from '../contract/waits.ts';
import type { TaskSpec } from './task.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

/** From an activity to its task, and from a slice to its reindex: what it waits for, or null when it goes on. */
export const waitsSignal = defineSignal<[key?: string, waits?: WaitsFor | null]>(WAITS);

/** Shows in the tracker what the activities of a task wait for. */
export function handleWaits(keeper: TrackerKeeper, { type, parentId }: TaskSpec): void {
  setHandler(waitsSignal, async (key, waits) => {
    if (typeof key !== 'string') return;
    keeper.showWaits(key, waits ?? null);
    if (type !== 'reindex-slice' || !parentId) return;
    // A reindex that has ended need not know.
    const { workflowId } = workflowInfo();
    await getExternalWorkflowHandle(parentId)
      .signal(waitsSignal, `${workflowId}/${key}`, waits ?? null)
      .catch(() => {});
  });
}
