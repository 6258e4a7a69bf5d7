import { CancellationScope, continueAsNew, isCancellation, sleep } from '@temporalio/workflow';
import { durationMs } from '../contract/durations.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { DeleteIndexInput, HandOver, MirrorState } from '../contract/workflow-inputs.ts';
import { embedActivities, longControl } from './activities.ts';
import { admit } from './task/admit.ts';
import { errorOf } from './task/errors.ts';
import { handOver, receive } from './task/receive.ts';
import { runTask } from './task/run-task.ts';
import type { TaskContext } from './task/types.ts';

/** Max. time between two updates of an index that is kept current. */
const MAX_MIRROR_PAUSE_SECONDS = 300;

/** Max. time between two attempts to drop tables that are still being read. */
const MAX_DROP_PAUSE_SECONDS = 60;

/**
 * Deletes an index and its contents, now or later. Until then the status is `waiting`: `cancel` keeps the index,
 * `restart` deletes it immediately. The index may be kept current from the one that replaced it, so that switching the
 * alias is enough to go back.
 */
export async function deleteIndex(first: DeleteIndexInput, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('delete-index', first, second);
  const { retired, deletion } = given;
  let deleteAtMs = deletion?.deleteAtMs;
  let indexNo = deletion?.indexNo ?? retired?.indexNo ?? given.indexNo;
  let mirror = deletion ? (deletion.mirror ?? undefined) : retired?.mirror;
  const spec = {
    type: 'delete-index',
    indexes: [input.index],
    parentId: retired?.parentId ?? null,
    maxAttempts: input.maxAttempts,
    previous: given.previous,
    refusal,
    startNextRun: (previous: HandOver['previous']) =>
      continueAsNew<typeof deleteIndex>(
        raw as DeleteIndexInput,
        handOver({
          previous,
          retired,
          indexNo: given.indexNo,
          deletion:
            deleteAtMs === undefined || indexNo === undefined
              ? undefined
              : { deleteAtMs, indexNo, mirror: mirror ?? null },
        }),
      ),
  } as const;
  return runTask(spec, async (task) => {
    task.tracker.data.index = input.index;
    if (deleteAtMs === undefined) {
      const admitted = await admit(task, 'delete-index', raw, given.previous);
      indexNo ??= admitted.input.indexNo as number;
      deleteAtMs = Date.now() + (input.after === undefined ? 0 : durationMs(input.after));
    }
    try {
      if (mirror) mirror = await keepCurrentUntil(task, input.index, mirror, deleteAtMs);
      await waitUntil(task, input.index, deleteAtMs);
    } catch (error) {
      if (isCancellation(error) && mirror) await endMirror(mirror);
      throw error;
    }
    await task.checkpoint();
    task.setDetail(`deleting ${input.index}`);
    // A half-deleted index is useless, so a deletion that has begun is completed.
    const ownLock = mirror?.lock ?? null;
    await CancellationScope.nonCancellable(() => deleteNow(task, input, { indexNo: indexNo ?? null, ownLock }));
    task.setDetail(`${input.index} is deleted`);
  });
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
    task.continueIfLong();
  }
}

async function waitUntil(task: TaskContext, index: string, deleteAtMs: number): Promise<void> {
  const leftSeconds = (deleteAtMs - Date.now()) / 1_000;
  if (leftSeconds > 0 && !task.tracker.data.atOnce) await task.waitFor(willBeDeleted(index, deleteAtMs), leftSeconds);
}

/**
 * Keeps the index current until its deletion is due or `restart` requests it. Runs in parallel with the waiting, so
 * that a pause of the deletion does not stop it. Returns the mirror, or undefined if its lock was lost: the index
 * serves again, or was not kept current for too long. `markDeleting` then decides.
 */
async function keepCurrentUntil(
  task: TaskContext,
  index: string,
  mirror: MirrorState,
  deleteAtMs: number,
): Promise<MirrorState | undefined> {
  const keeper = startKeeper(task, mirror);
  try {
    while (Date.now() < deleteAtMs && !keeper.isLost()) {
      const leftSeconds = (deleteAtMs - Date.now()) / 1_000;
      const detail = `${willBeDeleted(index, deleteAtMs)}; until then it is kept current`;
      // The previous run may have received the restart.
      if (task.takeRestart() || (await task.waitFor(detail, Math.min(leftSeconds, pauseSecondsOf(mirror))))) {
        task.tracker.data.atOnce = true;
        break;
      }
      task.continueIfLong();
    }
  } finally {
    await keeper.stop();
  }
  return keeper.isLost() ? undefined : mirror;
}

const pauseSecondsOf = ({ lockSeconds }: MirrorState) => Math.min(lockSeconds / 3, MAX_MIRROR_PAUSE_SECONDS);

/** Renews the mirror and copies new writes in a loop. An error is shown in the tracker, and the step is retried. */
function startKeeper(task: TaskContext, mirror: MirrorState) {
  const scope = new CancellationScope();
  let lost = false;
  const keeping = scope.run(async () => {
    for (;;) {
      try {
        const { mark, more } = await embedActivities().reconcileMirror(mirror);
        mirror.mark = mark;
        delete task.tracker.data.mirrorError;
        if (more) continue;
      } catch (error) {
        if (isCancellation(error)) return;
        const { type, message } = errorOf(error);
        lost = type === 'LockLost';
        if (lost) return;
        task.report({ data: { mirrorError: message } });
      }
      await sleep(pauseSecondsOf(mirror) * 1_000, { summary: 'before the mirror is renewed' });
    }
  });
  return {
    isLost: () => lost,
    async stop() {
      scope.cancel();
      await CancellationScope.nonCancellable(() =>
        keeping.catch((error) => {
          if (!isCancellation(error)) throw error;
        }),
      );
    },
  };
}

const willBeDeleted = (index: string, deleteAtMs: number) =>
  `${index} will be deleted at ${new Date(deleteAtMs).toISOString()}`;

async function endMirror(mirror: MirrorState): Promise<void> {
  await CancellationScope.nonCancellable(() => longControl.releaseLock(mirror.lock).catch(() => {}));
}
