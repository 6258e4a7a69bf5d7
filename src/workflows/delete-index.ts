import { CancellationScope, continueAsNew, isCancellation, sleep } from '@temporalio/workflow';
import { durationMs } from '../contract/durations.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { DeleteIndexInput, HandOver, MirrorState } from '../contract/workflow-inputs.ts';
import { embedActivities, longControl } from './activities.ts';
import { admit } from './admit.ts';
import { errorOf } from './errors.ts';
import { handOver, receive } from './receive.ts';
import type { Task } from './task.ts';
import { runTask } from './tracker.ts';

/** While the index is kept current, it is brought up to date this often at least. */
const LONGEST_MIRROR_PAUSE_SECONDS = 300;

/** While something reads its tables, they are tried again this often at least. */
const LONGEST_DROP_PAUSE_SECONDS = 60;

/**
 * Deletes an index with all it holds, now or later. While it waits the status is `waiting`: `cancel` keeps the index,
 * `restart` deletes it at once. It may be kept current from the index that replaced it, so that going back is one
 * switch of the alias.
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
    goOn: (previous: HandOver['previous']) =>
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
    // An index that is half deleted serves nobody: once begun, it is brought to its end.
    await CancellationScope.nonCancellable(async () => {
      const marked = await longControl.markDeleting({
        index: input.index,
        indexNo: indexNo ?? null,
        force: input.force ?? false,
        ownLock: mirror?.lock ?? null,
      });
      for (let tries = 1; ; tries++) {
        const dropped = await longControl.dropIndex(marked.indexNo);
        if (dropped.kind === 'dropped') return;
        await task.waitFor(
          `${input.index} takes no writes any more; its tables are removed once they are free of ${dropped.by}`,
          Math.min(LONGEST_DROP_PAUSE_SECONDS, 2 ** tries),
        );
        task.continueIfLong();
      }
    });
    task.setDetail(`${input.index} is deleted`);
  });
}

async function waitUntil(task: Task, index: string, deleteAtMs: number): Promise<void> {
  const leftSeconds = (deleteAtMs - Date.now()) / 1_000;
  if (leftSeconds > 0 && !task.tracker.data.atOnce) await task.waitFor(willBeDeleted(index, deleteAtMs), leftSeconds);
}

/**
 * Keeps the index current until its time has come or someone asks for its deletion at once. Beside the waiting, so that
 * a pause of the deletion does not end it. Returns the mirror, or undefined when its lock was lost: the index serves
 * again, or nobody kept it current for too long. Its deletion then decides.
 */
async function keepCurrentUntil(
  task: Task,
  index: string,
  mirror: MirrorState,
  deleteAtMs: number,
): Promise<MirrorState | undefined> {
  const keeper = startKeeper(task, mirror);
  try {
    while (Date.now() < deleteAtMs && !keeper.isLost()) {
      const leftSeconds = (deleteAtMs - Date.now()) / 1_000;
      const detail = `${willBeDeleted(index, deleteAtMs)}; until then it is kept current`;
      // It may have been asked for by the run before.
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

const pauseSecondsOf = ({ lockSeconds }: MirrorState) => Math.min(lockSeconds / 3, LONGEST_MIRROR_PAUSE_SECONDS);

/** Renews the mirror and brings what was written, again and again. Trouble is told in the tracker and tried again. */
function startKeeper(task: Task, mirror: MirrorState) {
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
