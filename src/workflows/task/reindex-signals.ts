import { setHandler } from '@temporalio/workflow';
import type { Decision } from '../../contract/approval.ts';
import { IGNORED_CALL } from '../../contract/failures.ts';
import { ROLL_BACK, SIGNAL } from '../../contract/names.ts';
import { shareProblem } from '../../contract/read-shares.ts';
import { above0, orNull } from './shapes.ts';
import { approveSignal, readsSignal, rejectSignal, rollBackUpdate, throttleSignal } from './signals.ts';
import type { TaskSpec } from './spec.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

/** Installs the handlers of the signals about a reindex that the task has. Tools can send anything. */
export function handleReindexSignals(
  keeper: TrackerKeeper,
  { onThrottle, onDecision, onRollBack, reads }: TaskSpec,
): void {
  const note = (call: string, by: unknown, problem: string | undefined, reason?: unknown) =>
    keeper.noteSteering(call, by, problem === undefined ? reason : `${IGNORED_CALL}${problem}`);
  if (onThrottle) {
    setHandler(throttleSignal, async (ratePerSecond, by) => {
      const expected = orNull(above0)(ratePerSecond);
      note(SIGNAL.throttle, by, expected && `${expected}, or null for no limit, was expected`);
      if (expected === undefined) await onThrottle(ratePerSecond);
    });
  }
  if (onDecision) {
    const decide = (kind: Decision) => (reason?: unknown, by?: unknown) =>
      note(kind, by, onDecision(kind, by, reason), reason);
    setHandler(approveSignal, decide('approve'));
    setHandler(rejectSignal, decide('reject'));
  }
  if (onRollBack) {
    setHandler(rollBackUpdate, (request) => {
      note(ROLL_BACK, request?.by, undefined, request?.reason);
      return onRollBack(request);
    });
  }
  if (reads) {
    setHandler(readsSignal, async (shares, by) => {
      const problem = shareProblem(shares) ?? reads.problemOf(shares);
      note(SIGNAL.reads, by, problem);
      if (problem === undefined) await reads.change(shares);
    });
  }
}
