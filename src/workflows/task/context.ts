import { condition } from '@temporalio/workflow';
import { ContinuesAsNew } from './history.ts';
import type { TaskSignals } from './signals.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';
import type { Hold, TaskContext } from './types.ts';

/** Creates the interface of a task for its steps. `mustContinueAsNew`: whether the history is too long to go further. */
export function createTaskContext(
  keeper: TrackerKeeper,
  signals: TaskSignals,
  { mustContinueAsNew, hold }: { mustContinueAsNew: (evenStopped?: boolean) => boolean; hold: (why: Hold) => void },
): TaskContext {
  const { tracker } = keeper;
  const continueIfLong = ({ evenStopped = false } = {}) => {
    if (mustContinueAsNew(evenStopped)) throw new ContinuesAsNew();
  };
  return {
    id: tracker.id,
    tracker,
    get triedBefore() {
      return tracker.attempts > 1;
    },
    setDetail: (detail) => keeper.setDetail(detail),
    report: (change) => keeper.report(change),
    noteWaits: (waits) => keeper.noteWaits(waits),
    stand: (still) => keeper.stand(still),
    publishNow: () => keeper.publishNow(),
    setLock: (lock) => keeper.setLock(lock),
    noteSteering: (call, by, reason) => keeper.noteSteering(call, by, reason),
    hold,
    async checkpoint() {
      while (signals.paused) {
        keeper.showPause(true);
        await condition(() => !signals.paused || mustContinueAsNew());
        if (signals.paused) continueIfLong();
        keeper.showPause(false);
      }
    },
    async waitFor(detail, seconds, { isOver = () => false, onResume = false } = {}) {
      signals.restartRequested = false;
      signals.resumeRequested = false;
      const isWoken = () => signals.restartRequested || (onResume && signals.resumeRequested);
      await this.waitUntil(detail, () => isWoken() || isOver(), seconds);
      const atOnce = isWoken();
      signals.restartRequested = false;
      return atOnce;
    },
    async waitUntil(detail, isSo, seconds) {
      await this.checkpoint();
      keeper.publishNow();
      keeper.move('waiting', detail);
      const inTime = await condition(isSo, Math.ceil(seconds * 1_000), { summary: detail });
      await this.checkpoint();
      keeper.move('processing', '');
      return inTime;
    },
    isLong: () => mustContinueAsNew(),
    continueIfLong,
    takeRestart() {
      const { restartRequested } = signals;
      signals.restartRequested = false;
      return restartRequested;
    },
  };
}
