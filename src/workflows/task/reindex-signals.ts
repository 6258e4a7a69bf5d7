import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import type { Decision } from '../../contract/approval.ts';
import { IGNORED_CALL } from '../../contract/failures.ts';
import { ROLL_BACK, SIGNAL } from '../../contract/names.ts';
import { shareProblem } from '../../contract/read-shares.ts';
import { above0, orNull } from './shapes.ts';
import {
  approveSignal,
  approveUpdate,
  readsSignal,
  rejectSignal,
  rejectUpdate,
  rollBackUpdate,
  throttleSignal,
} from './signals.ts';
import type { TaskSpec } from './spec.ts';
import type { TrackerKeeper } from './tracker-keeper.ts';

const DECISIONS = [
  ['approve', approveSignal, approveUpdate],
  ['reject', rejectSignal, rejectUpdate],
] as const;
/** Error type of an update with a decision that nothing waits for. */
const NOT_DECIDED = 'NotDecided';

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
    const decide = (kind: Decision) => (reason?: unknown, by?: unknown) => {
      const problem = onDecision(kind, by, reason);
      note(kind, by, problem, reason);
      return problem;
    };
    for (const [kind, signal, update] of DECISIONS) {
      const decideSo = decide(kind);
      setHandler(signal, (reason, by) => void decideSo(reason, by));
      setHandler(update, (reason, by) => {
        const problem = decideSo(reason, by);
        if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, NOT_DECIDED);
      });
    }
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
