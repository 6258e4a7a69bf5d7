import { defineSignal, getExternalWorkflowHandle, setHandler, workflowInfo } from '@temporalio/workflow';
import { WAITS } from '../../contract/names.ts';
import type { WaitsFor } from '../../contract/waits.ts';
import { reportedWaits } from './reported.ts';
import type { TaskSpec } from './spec.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

/** Sent by an activity to its task, and by a slice to its reindex: what it waits for, or null once it continues. */
export const waitsSignal = defineSignal<[key?: string, waits?: WaitsFor | null]>(WAITS);

/** Max. characters of a key: the id of a slice, and that of its activity. */
const KEY_CHARS = 1_000;

/** Shows in the tracker what the activities of a task wait for. */
export function handleWaits(keeper: TrackerKeeper, { type, parentId }: TaskSpec): void {
  setHandler(waitsSignal, async (key, sent) => {
    const waits = reportedWaits(sent);
    if (typeof key !== 'string' || key.length > KEY_CHARS || waits === undefined) return;
    keeper.showWaits(key, waits);
    if (type !== 'reindex-slice' || !parentId) return;
    // A reindex that has ended does not need it.
    const { workflowId } = workflowInfo();
    await getExternalWorkflowHandle(parentId)
      .signal(waitsSignal, `${workflowId}/${key}`, waits)
      .catch(() => {});
  });
}
