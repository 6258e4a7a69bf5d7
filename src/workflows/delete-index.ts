import { CancellationScope, continueAsNew, isCancellation } from '@temporalio/workflow';
import { durationMs } from '../contract/durations.ts';
import type { HandOver } from '../contract/hand-over.ts';
import type { RollBackRequest } from '../contract/roll-back.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { DeleteIndexInput } from '../contract/workflow-inputs.ts';
import { longControl } from './activities.ts';
import { endAfterRollBack, endMirror, keepCurrent, rollBack, type Waiting, willBeDeleted } from './kept-current.ts';
import { createMirrorReads } from './reindex/reads.ts';
import { admit } from './task/admit.ts';
import { handOver, receive } from './task/receive.ts';
import { runTask } from './task/run-task.ts';
import type { TaskContext } from './task/types.ts';

/** Max. time between two attempts to drop tables that are still being read. */
const MAX_DROP_PAUSE_SECONDS = 60;

/**
 * Deletes an index and its contents, now or later. Until then the status is `waiting`: `cancel` keeps the index,
 * `restart` deletes it immediately. The index may be kept current from the one that replaced it, so that one call rolls
 * back. From then on this task deletes nothing by itself: it keeps the index that was left current for as long again.
 */
export async function deleteIndex(first: DeleteIndexInput, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('delete-index', first, second);
  const { retired, deletion } = given;
  const waits: Waiting = {
    index: input.index,
    indexNo: deletion?.indexNo ?? retired?.indexNo ?? given.indexNo,
    afterMs: () => (input.after === undefined ? 0 : durationMs(input.after)),
    deleteAtMs: deletion?.deleteAtMs,
    mirror: deletion ? (deletion.mirror ?? undefined) : retired?.mirror,
    rolledBack: deletion?.rolledBack,
    isBegun: deletion?.begun === true,
  };
  const reads = createMirrorReads(() => waits.mirror);
  const spec = {
    type: 'delete-index',
    indexes: [input.index],
    parentId: retired?.parentId ?? null,
    maxAttempts: input.maxAttempts,
    previous: given.previous,
    refusal,
    reads,
    startNextRun: (previous: HandOver['previous']) =>
      continueAsNew<typeof deleteIndex>(
        raw as DeleteIndexInput,
        handOver({ previous, retired, indexNo: given.indexNo, deletion: progressOf(waits) }),
      ),
    onRollBack: (request: RollBackRequest) => rollBack(waits, request),
  } as const;
  return runTask(spec, async (task) => {
    task.tracker.data.index = input.index;
    reads.show(task);
    if (waits.deleteAtMs === undefined) {
      const admitted = await admit(task, 'delete-index', raw, given.previous);
      waits.indexNo ??= admitted.input.indexNo as number;
      waits.deleteAtMs = Date.now() + waits.afterMs();
    }
    if (!waits.isBegun) {
      const isToDelete = await isDue(task, waits);
      delete task.tracker.data.reads;
      if (!isToDelete) return;
      await task.checkpoint();
      task.setDetail(`deleting ${input.index}`);
      waits.isBegun = true;
    }
    // A half-deleted index is useless, so a deletion that has begun is completed.
    const bound = { indexNo: waits.indexNo ?? null, ownLock: waits.mirror?.lock ?? null };
    await CancellationScope.nonCancellable(() => deleteNow(task, input, bound));
    task.setDetail(`${input.index} is deleted`);
  });
}

function progressOf({ deleteAtMs, indexNo, mirror, rolledBack, isBegun }: Waiting): HandOver['deletion'] {
  if (deleteAtMs === undefined || indexNo === undefined) return undefined;
  const rest = { ...(rolledBack && { rolledBack }), ...(isBegun && { begun: true as const }) };
  return { deleteAtMs, indexNo, mirror: mirror ?? null, ...rest };
}

/** Waits until the index is to be deleted. Returns false if it is kept after all. */
async function isDue(task: TaskContext, waits: Waiting): Promise<boolean> {
  try {
    if (waits.mirror) await keepCurrent(task, waits);
    if (waits.rolledBack) return await endAfterRollBack(task, waits);
    await waitUntil(task, waits.index, waits.deleteAtMs ?? 0);
    return true;
  } catch (error) {
    if (isCancellation(error) && waits.mirror) await endMirror(waits.mirror);
    throw error;
  }
}

/** Marks the index as being deleted, and removes its tables once nobody reads them any more. */
async function deleteNow(
  task: TaskContext,
  { index, force = false }: DeleteIndexInput,
  bound: { indexNo: number | null; ownLock: string | null },
): Promise<void> {
  const marked = await longControl.markDeleting({ index, force, ...bound });
  for (let tries = 1; ; tries++) {
    const dropped = await longControl.dropIndex(marked.indexNo);
    if (dropped.kind === 'dropped') return;
    await task.waitFor(
      `${index} takes no writes any more; its tables are removed once they are free of ${dropped.by}`,
      Math.min(MAX_DROP_PAUSE_SECONDS, 2 ** tries),
    );
    // Tables may be in use for days, also after a cancel that came too late.
    task.continueIfLong({ evenStopped: true });
  }
}

async function waitUntil(task: TaskContext, index: string, deleteAtMs: number): Promise<void> {
  const leftSeconds = (deleteAtMs - Date.now()) / 1_000;
  if (leftSeconds > 0 && !task.tracker.data.atOnce) await task.waitFor(willBeDeleted(index, deleteAtMs), leftSeconds);
}
