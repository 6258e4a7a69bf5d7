import { CancellationScope, continueAsNew, isCancellation, workflowInfo } from '@temporalio/workflow';
import { durationMs } from '../contract/durations.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { DeleteIndexInput, MirrorState } from '../contract/workflow-inputs.ts';
import { control, embedActivities, longControl } from './activities.ts';
import { errorOf, RefusedError } from './errors.ts';
import { runTask, type Task } from './tracker.ts';

/** While the index is kept current, it is brought up to date this often at least. */
const LONGEST_MIRROR_PAUSE_SECONDS = 300;

/**
 * Deletes an index with all it holds, now or later. While it waits the status is `waiting`: `cancel` keeps the index,
 * `restart` deletes it at once. It may be kept current from the index that replaced it, so that going back is one
 * switch of the alias.
 */
export async function deleteIndex(input: DeleteIndexInput): Promise<Tracker> {
  const spec = {
    type: 'delete-index',
    indexes: [input.index],
    parentId: input.parentId ?? null,
    maxAttempts: input.maxAttempts,
    previous: input.previous,
  } as const;
  return runTask(spec, async (task) => {
    if (input.deleteAtMs === undefined && input.parentId === undefined) {
      const { previous: _previous, ...body } = input;
      await control.admit({ taskId: task.id, type: 'delete-index', input: body, version: null });
    }
    const deleteAtMs = input.deleteAtMs ?? Date.now() + (input.after === undefined ? 0 : durationMs(input.after));
    try {
      await waitUntil(task, input, deleteAtMs);
    } catch (error) {
      if (isCancellation(error) && input.mirror) await endMirror(input.mirror);
      throw error;
    }
    task.setDetail(`deleting ${input.index}`);
    const { indexNo } = await longControl.markDeleting({
      index: input.index,
      force: input.force ?? false,
      ownLock: input.mirror?.lock ?? null,
    });
    await longControl.dropIndex(indexNo);
    task.setDetail(`${input.index} is deleted`);
  });
}

async function waitUntil(task: Task, input: DeleteIndexInput, deleteAtMs: number): Promise<void> {
  const { mirror } = input;
  while (Date.now() < deleteAtMs) {
    const leftSeconds = (deleteAtMs - Date.now()) / 1_000;
    const detail = `${input.index} will be deleted at ${new Date(deleteAtMs).toISOString()}`;
    if (!mirror) {
      await task.waitFor(detail, leftSeconds);
      return;
    }
    mirror.mark = await keepCurrent(mirror, input.index);
    const pauseSeconds = Math.min(leftSeconds, mirror.lockSeconds / 3, LONGEST_MIRROR_PAUSE_SECONDS);
    if (await task.waitFor(`${detail}; until then it is kept current`, pauseSeconds)) return;
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof deleteIndex>({
        ...input,
        deleteAtMs,
        previous: { ...task.tracker, sameAttempt: true },
      });
    }
  }
}

/** Brings what was written to the new index, and renews the lock by which live writes are forwarded. */
async function keepCurrent(mirror: MirrorState, index: string): Promise<number> {
  try {
    return (await embedActivities().reconcileMirror(mirror)).mark;
  } catch (error) {
    if (errorOf(error).type !== 'LockLost') throw error;
    throw new RefusedError('serves-again', `${index} is no longer kept current, so it may serve again: not deleted`);
  }
}

async function endMirror(mirror: MirrorState): Promise<void> {
  await CancellationScope.nonCancellable(() => longControl.releaseLock(mirror.lock));
}
