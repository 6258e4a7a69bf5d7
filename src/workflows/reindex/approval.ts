import { isCancellation, workflowInfo } from '@temporalio/workflow';
import { type Approval, type ApproveByEvaluation, type Decision, evaluationOf } from '../../contract/approval.ts';
import { durationMs } from '../../contract/durations.ts';
import type { Verdict } from '../../contract/evaluation.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { LockedPair, ReindexState } from '../../contract/reindex-state.ts';
import { longControl } from '../activities.ts';
import { evaluate } from '../evaluation/step.ts';
import { chainOf } from '../task/admit.ts';
import { errorOf, RefusedError } from '../task/errors.ts';
import { ContinuesAsNew } from '../task/history.ts';
import { textOrNull } from '../task/text-or-null.ts';
import type { ReindexRun } from './run.ts';
import { startDeletion } from './start-deletion.ts';
import { bringChanges, enter } from './steps.ts';
import { showUsage } from './usage.ts';

/**
 * Interval in which the destination is brought up to date while it waits: a long wait leaves no long drain. Shorter while
 * it answers searches, which would miss a write whose forward was given up.
 */
const CATCH_UP_SECONDS = 3_600;
const CATCH_UP_FOR_READS_SECONDS = 60;

/** Error type of a reindex that was rejected. */
export const REJECTED = 'rejected';

/**
 * Lets a query set or a person decide whether the alias is switched, which may take days. Live writes go to both
 * indexes meanwhile. Returns whether it has waited. Throws a `RefusedError` after a rejection.
 */
export async function approval(run: ReindexRun): Promise<boolean> {
  const { settings, state } = run;
  if (settings.approve === 'auto' || state.approval?.decision?.kind === 'approve') return false;
  if (!state.approval) {
    if (state.locked) await longControl.markBuilt(state.locked.lock);
    state.approval = open(settings.approve);
  }
  const waiting = state.approval;
  await askQuerySet(run, waiting);
  const { deadline } = waiting;
  const until = deadline === null ? '' : ` until ${deadline}`;
  const verdict = waiting.evaluation?.verdict ? `; ${shownVerdict(waiting.evaluation)}` : '';
  const detail = `${settings.dest} is complete and waits for an approval${until}${verdict}`;
  if (waiting.decision === null) enter(run, 'approval', detail);
  showApproval(run);
  while (waiting.decision === null) {
    const left = deadline === null ? Number.POSITIVE_INFINITY : (Date.parse(deadline) - Date.now()) / 1_000;
    await run.reads.open();
    if (left <= 0) decideByTimeout(run, waiting);
    else await waitAndCatchUp(run, waiting, { detail, seconds: Math.min(left, catchUpSeconds(run)) });
  }
  showApproval(run);
  const { kind, by, reason } = waiting.decision;
  if (kind === 'approve') return true;
  const who = by === null ? '' : ` by ${by}`;
  const why = reason === null ? '' : `: ${reason}`;
  throw new RefusedError(REJECTED, `the switch to ${settings.dest} was rejected${who}${why}`);
}

/** Runs the query set that decides, if there is one. An error of the evaluation leaves the decision to a person. */
async function askQuerySet(run: ReindexRun, waiting: Approval): Promise<void> {
  const settings = evaluationOf(run.settings.approve);
  if (!settings || waiting.decision !== null || waiting.evaluation?.verdict) return;
  const { querySet } = settings;
  waiting.evaluation = { querySet, verdict: null, why: null };
  try {
    const outcome = await runQueries(run, waiting, settings);
    if (!outcome) return;
    const { verdict, why } = outcome;
    waiting.evaluation = { querySet, verdict, why };
  } catch (error) {
    if (error instanceof ContinuesAsNew || isCancellation(error)) throw error;
    const why = `the evaluation failed: ${errorOf(error).message}`.slice(0, LIMITS.detailChars);
    waiting.evaluation = { querySet, verdict: 'inconclusive', why };
  }
  // A person may have decided meanwhile.
  if (waiting.decision !== null) return;
  const kind = decisionBy(waiting.evaluation.verdict, settings);
  if (kind === null) return;
  waiting.decision = decided(kind, { reason: shownVerdict(waiting.evaluation), isVerdict: true });
}

/** Returns the decision that follows from a verdict; null if a person decides. */
function decisionBy(verdict: Verdict | null, { onGo, onNoGo }: ApproveByEvaluation): Decision | null {
  if (verdict === 'go' && onGo === 'approve') return 'approve';
  return verdict === 'no-go' && onNoGo === 'reject' ? 'reject' : null;
}

async function runQueries(
  run: ReindexRun,
  waiting: Approval,
  { querySet, k, thresholds, efSearch, breakdown, maxMissing, seed }: ApproveByEvaluation,
) {
  const { task, state } = run;
  const [left, right] = [state.locked?.source ?? run.settings.source, run.settings.dest];
  const doing = `running the queries of ${querySet} on ${left} and ${right}`;
  enter(run, 'evaluation', doing);
  showApproval(run);
  return evaluate(task, {
    run: `${chainOf(workflowInfo())}/${waiting.since}`,
    request: { left, right, querySet, k, thresholds, efSearch, breakdown, maxMissing, seed, isStep: true },
    onProgress: ({ done, total, usage }) => {
      showUsage(task.tracker, usage);
      task.setDetail(`${doing}: ${done} of ${total}`);
      task.report({});
    },
    isOver: () => waiting.decision !== null,
  });
}

function shownVerdict({ querySet, verdict, why }: NonNullable<Approval['evaluation']>): string {
  return `the query set ${querySet} says ${verdict}: ${why}`;
}

/** Returns a decision that is made now, by default by a person. */
function decided(kind: Decision, given: Partial<NonNullable<Approval['decision']>>): NonNullable<Approval['decision']> {
  const time = new Date().toISOString();
  return { by: null, reason: null, isTimeout: false, isVerdict: false, ...given, kind, time };
}

const catchUpSeconds = ({ reads }: ReindexRun) => (reads.isOn() ? CATCH_UP_FOR_READS_SECONDS : CATCH_UP_SECONDS);

/**
 * Waits for the decision this long, or until the interval changes. If it does not come, brings the destination up to
 * date.
 */
async function waitAndCatchUp(
  run: ReindexRun,
  waiting: Approval,
  { detail, seconds }: { detail: string; seconds: number },
): Promise<void> {
  const { task } = run;
  const wasOn = run.reads.isOn();
  const isEnough = () => waiting.decision !== null || task.isLong() || run.reads.isOn() !== wasOn;
  const isOver = await task.waitUntil(detail, isEnough, seconds);
  task.continueIfLong();
  if (isOver) return;
  task.setDetail(detail);
  await bringChanges(run);
}

/** Shows the approval in the tracker: none before the new index is complete. */
export function showApproval({ task, state }: Pick<ReindexRun, 'task' | 'state'>): void {
  if (state.approval) task.report({ data: { approval: { ...state.approval } } });
  else delete task.tracker.data.approval;
}

function open(approve: Exclude<ReindexRun['settings']['approve'], 'auto'>): Approval {
  const timeout = approve === 'manual' ? undefined : approve.timeout;
  const nowMs = Date.now();
  return {
    since: new Date(nowMs).toISOString(),
    deadline: timeout === undefined ? null : new Date(nowMs + durationMs(timeout)).toISOString(),
    decision: null,
  };
}

/** Records a decision. Returns why it has no effect, or undefined. */
export function decide(state: ReindexState, kind: Decision, by: unknown, reason: unknown): string | undefined {
  const { approval: waiting } = state;
  if (!waiting) return 'the task does not wait for an approval';
  if (waiting.decision !== null) return 'it is decided already';
  waiting.decision = decided(kind, {
    by: textOrNull(by, LIMITS.taskIdChars),
    reason: textOrNull(reason, LIMITS.detailChars),
  });
  return undefined;
}

function decideByTimeout({ settings }: ReindexRun, waiting: Approval): void {
  const { timeout, onTimeout = 'reject' } = typeof settings.approve === 'object' ? settings.approve : {};
  waiting.decision ??= decided(onTimeout, { reason: `nobody decided within ${timeout}`, isTimeout: true });
}

/** Deletes the new index after a rejection, if asked, as a separate task. Its lock must be released first. */
export async function deleteRejected({ task, settings }: ReindexRun, { destNo }: LockedPair): Promise<void> {
  if (typeof settings.approve !== 'object' || settings.approve.onReject !== 'delete') return;
  await startDeletion(task, {
    id: `${task.id}/reject/${task.tracker.attempts}`,
    summary: `delete ${settings.dest}, whose switch was rejected`,
    index: settings.dest,
    retired: { indexNo: destNo },
  });
}
