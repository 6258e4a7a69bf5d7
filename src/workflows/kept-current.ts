import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { LIMITS } from '../contract/limits.ts';
import type { MirrorState, RolledBack } from '../contract/reindex-state.ts';
import type { RollBackReport, RollBackRequest } from '../contract/roll-back.ts';
import { longControl } from './activities.ts';
import { MirrorKeeper, pauseSecondsOf, refuseRollBack } from './mirror-keeper.ts';
import { RefusedError } from './task/errors.ts';
import { textOrNull } from './task/text-or-null.ts';
import type { TaskContext } from './task/types.ts';
import { Watcher, watchText } from './watcher.ts';

/** State of an index that waits for its deletion, and may be kept current until then. */
export interface Waiting {
  index: string;
  indexNo: number | undefined;
  /** Returns how long it waits. After a roll back, the other index is kept current for this long. */
  afterMs: () => number;
  deleteAtMs: number | undefined;
  /** Undefined if the index is not kept current, or not any more. */
  mirror: MirrorState | undefined;
  rolledBack: RolledBack | undefined;
  /** The deletion has begun, and is completed whatever is asked. */
  isBegun: boolean;
  /** Works while the index is kept current. */
  keeper?: MirrorKeeper | undefined;
}

/** Time in which a roll back waits for a task that has just started. */
const START_SECONDS = 5;

/** Lets the other index serve. Returns null if it serves already. Errors: `RollBackRefused`, `NotCurrent`. */
export async function rollBack(waits: Waiting, request: RollBackRequest): Promise<RollBackReport | null> {
  // Tools can send anything.
  const { toNo, by, reason } = request ?? {};
  const asked = { toNo, by: textOrNull(by, LIMITS.taskIdChars), reason: textOrNull(reason, LIMITS.detailChars) };
  if (waits.mirror && !waits.keeper) await condition(() => waits.keeper !== undefined, START_SECONDS * 1_000);
  if (!waits.keeper) throw refuseRollBack(`${waits.index} is not kept current any more`);
  return waits.keeper.turn(asked);
}

/**
 * Keeps the index current until its deletion is due or `restart` requests it, also while the task is paused. After a
 * roll back, keeps the index current that does not serve, for as long again; `restart` is ignored while this task's own
 * index serves. Forgets the mirror if its lock is lost: the index serves again, or was not kept current for too long.
 */
export async function keepCurrent(task: TaskContext, waits: Waiting): Promise<void> {
  const mirror = waits.mirror as MirrorState;
  const keeper = startKeeper(task, waits, mirror, (report) => watcher?.rolledBack(report));
  const toNo = mirror.destNo;
  const watcher = mirror.watch && new Watcher(task, mirror, (request) => keeper.turn({ toNo, ...request }));
  waits.keeper = keeper;
  const endMs = () => waits.rolledBack?.untilMs ?? waits.deleteAtMs ?? 0;
  const serves = () => mirror.sourceNo === waits.indexNo;
  try {
    while (keeper.isTurning() || ((Date.now() < endMs() || mirror.watch) && !keeper.isLost())) {
      // The previous run may have received the restart.
      const isWoken = task.takeRestart() || (await waitForChange(task, waits, keeper, mirror));
      if (isWoken && !keeper.isTurning() && !serves()) {
        task.tracker.data.atOnce = true;
        watcher?.end('the old index is deleted at once');
        break;
      }
      if (!keeper.isTurning()) task.continueIfLong();
    }
    watcher?.end('the old index is not kept current any more');
  } catch (error) {
    if (isCancellation(error)) watcher?.end('its task was ended');
    throw error;
  } finally {
    waits.keeper = undefined;
    await watcher?.stop();
    await keeper.stop();
  }
  if (keeper.isLost()) waits.mirror = undefined;
}

function startKeeper(
  task: TaskContext,
  waits: Waiting,
  mirror: MirrorState,
  onTurned: (report: RollBackReport) => void,
): MirrorKeeper {
  return new MirrorKeeper(task, mirror, {
    retiredNo: waits.indexNo ?? mirror.destNo,
    last: () => waits.rolledBack?.report,
    onTurned(report) {
      waits.rolledBack = { untilMs: Date.now() + waits.afterMs(), report };
      // They ended with their lock.
      delete mirror.reads;
      delete task.tracker.data.reads;
      onTurned(report);
      task.report({ data: { rollBack: { ...report } } });
      task.setDetail(detailOf(waits, ''));
    },
  });
}

/** Waits for a while, or until a roll back begins or ends. Returns true after `restart`. */
function waitForChange(task: TaskContext, waits: Waiting, keeper: MirrorKeeper, mirror: MirrorState): Promise<boolean> {
  const turning = keeper.isTurning();
  const report = waits.rolledBack?.report;
  const endMs = waits.rolledBack?.untilMs ?? waits.deleteAtMs ?? 0;
  const dueSeconds = (endMs - Date.now()) / 1_000;
  const leftSeconds = dueSeconds <= 0 && mirror.watch ? pauseSecondsOf(mirror) : Math.max(dueSeconds, turning ? 1 : 0);
  const watched = watchText(task.tracker.data);
  return task.waitFor(detailOf(waits, watched), Math.min(leftSeconds, pauseSecondsOf(mirror)), {
    isOver: () =>
      keeper.isTurning() !== turning || waits.rolledBack?.report !== report || watchText(task.tracker.data) !== watched,
  });
}

function detailOf({ index, deleteAtMs = 0, rolledBack }: Waiting, watched: string): string {
  if (!rolledBack) {
    return `${willBeDeleted(index, deleteAtMs)}; until then it is kept current${watched && `; ${watched}`}`;
  }
  const { report, untilMs } = rolledBack;
  const { from, to, reason } = report;
  const why = reason === null ? '' : ` (${reason})`;
  const until = new Date(untilMs).toISOString();
  return `rolled back from ${from} to ${to}${why}; ${from} is kept current until ${until}, and neither is deleted`;
}

/**
 * Ends the task of an index that was rolled back to. Returns true if a person asked to delete the index, which does not
 * serve. Throws a `RefusedError` if the mirror was lost before its time.
 */
export async function endAfterRollBack(task: TaskContext, waits: Waiting): Promise<boolean> {
  const { mirror, rolledBack } = waits;
  const { from, to } = (rolledBack as RolledBack).report;
  if (mirror && task.tracker.data.atOnce === true) return true;
  if (!mirror) throw new RefusedError('not-kept-current', `${from} is not kept current any more; nothing is deleted`);
  await endMirror(mirror);
  waits.mirror = undefined;
  task.setDetail(
    `rolled back from ${from} to ${to}; the time for which ${from} was kept current is over, both are kept`,
  );
  return false;
}

export const willBeDeleted = (index: string, deleteAtMs: number) =>
  `${index} will be deleted at ${new Date(deleteAtMs).toISOString()}`;

/** Ends the mirror, even after a cancellation. If that fails, its lock expires. */
export async function endMirror(mirror: MirrorState): Promise<void> {
  await CancellationScope.nonCancellable(() => longControl.releaseLock(mirror.lock).catch(() => {}));
}
