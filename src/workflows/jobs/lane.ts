import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { HAND_OVER_VERSION } from '../../contract/hand-over.ts';
import type { LaneAnswer, LaneEntry, LaneHandOver, LaneInput, LaneRequest } from '../../contract/job-lanes.ts';
import type { Turn } from '../../contract/job-plan.ts';
import { LIMITS } from '../../contract/limits.ts';
import { laneControl } from '../activities.ts';
import { receiveEntries } from '../task/receive.ts';
import { anyRecord, asSentence, atLeast, oneOf, orNull, runId, text } from '../task/shapes.ts';
import { enterUpdate, leaveSignal, turnSignal } from '../task/signals.ts';

/** How long an empty lane waits for another job before it ends. */
const LINGER_MS = 2_000;
/** Interval of the checks whether the lane's first job still runs: doubles from `first` to `max`. */
const CHECK_MS = { first: 30_000, max: 600_000 } as const;
/** Max. age of the last check when a submission is decided. */
const FRESH_MS = 10_000;

/**
 * Decides which jobs of one name and key run, wait for their turn or are ignored. One workflow decides one submission
 * at a time, so the outcome is exact with any number of senders and after any crash. It starts the jobs through an
 * activity: as children, they would copy all their results into its history.
 */
export async function jobLane(input: LaneInput, given?: LaneHandOver): Promise<void> {
  const lane = new Lane(receiveEntries(given));
  setHandler(enterUpdate, (request) => lane.enter(request), { validator: requireRequest });
  setHandler(leaveSignal, (left) => lane.leave(left ?? { taskId: '', runId: '' }));
  await lane.advance();
  let checkMs: number = CHECK_MS.first;
  let checked: LaneEntry | undefined;
  for (;;) {
    if (lane.isIdle) {
      await condition(() => !lane.isIdle, LINGER_MS);
      if (lane.isIdle) return;
    }
    const first = lane.first;
    if (first !== checked) checkMs = CHECK_MS.first;
    checked = first;
    const moved = await condition(() => lane.isIdle || lane.first !== first || lane.isFull, checkMs);
    if (lane.isFull) {
      await condition(allHandlersFinished);
      const { runId: from } = workflowInfo();
      await continueAsNew<typeof jobLane>(input, { v: HAND_OVER_VERSION, from, entries: lane.entries });
    }
    if (moved) continue;
    await lane.dropDeadHolders();
    checkMs = Math.min(CHECK_MS.max, checkMs * 2);
  }
}

/** Rejects an update that is not a valid request before it enters the history; anyone can send one. */
function requireRequest(request: LaneRequest | undefined): void {
  const problem = LANE_REQUEST(request);
  if (problem !== undefined)
    throw ApplicationFailure.nonRetryable(`the request ${asSentence(problem)}`, 'InvalidInput');
}

const LANE_REQUEST = atLeast({
  taskId: text(LIMITS.workflowIdChars),
  'runId?': orNull(runId),
  onDuplicate: oneOf('discard', 'serial', 'queue_one'),
  job: anyRecord,
});

/** Whether a job still runs. A check that fails tells nothing: a lane that ended would forget who runs. */
function isOpen(run: Pick<LaneEntry, 'taskId' | 'runId'>): Promise<boolean> {
  return laneControl.isJobOpen(run).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    return true;
  });
}

class Lane {
  /** The first entry may run; the others wait for their turn. */
  readonly entries: LaneEntry[];
  private checkedMs = 0;
  /** The last decision: requests are decided one at a time, in order of arrival. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(entries: LaneEntry[]) {
    this.entries = entries;
  }

  get first(): LaneEntry | undefined {
    return this.entries[0];
  }

  get isIdle(): boolean {
    return this.entries.length === 0 && allHandlersFinished();
  }

  /** True if the lane must continue as a new run: its history is long, or this run nears the server's update limit. */
  get isFull(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  enter(request: LaneRequest): Promise<LaneAnswer> {
    const decision = this.last.then(() => this.decide(request));
    this.last = decision.catch(() => {});
    return decision;
  }

  private async decide(request: LaneRequest): Promise<LaneAnswer> {
    const { taskId, onDuplicate, newest } = request;
    const there = this.entries.find((entry) => entry.taskId === taskId);
    if (there) {
      // A new run of the same job keeps its place: the old one has ended.
      there.runId = request.runId ?? there.runId;
      return this.turnOf(there);
    }
    if (this.first && Date.now() - this.checkedMs > FRESH_MS) await this.dropDeadHolders();
    if (!this.first) await this.findParallel(taskId);
    const [first, ...others] = this.entries;
    const waiting = others.filter(({ parallel }) => !parallel);
    if (first && onDuplicate === 'discard') return { kind: 'ignored', duplicateOf: first.taskId };
    const next = waiting.at(-1);
    if (next && onDuplicate === 'queue_one') {
      if (newest) next.newest = { input: request.job.input };
      return { kind: 'ignored', duplicateOf: next.taskId };
    }
    return this.accept(request);
  }

  private async accept({ taskId, runId: given, job, plan, inputHash, trace }: LaneRequest): Promise<LaneAnswer> {
    const ahead = this.entries.at(-1);
    const turn: Turn = ahead ? { kind: 'waits', behind: ahead.taskId } : { kind: 'runs' };
    const runId = given ?? (await laneControl.startJob({ taskId, job, plan, turn, inputHash, trace }));
    if (runId === null) return { kind: 'exists' };
    this.entries.push({ taskId, runId, notified: turn.kind === 'runs' });
    // The entry ahead may have ended in the meantime.
    await this.advance();
    return turn;
  }

  /** Adds running parallel jobs to the front, because they do not enter the lane themselves. They leave like others. */
  private async findParallel(but: string): Promise<void> {
    const found = await laneControl.parallelJobs(workflowInfo().workflowId);
    const others = found.filter(({ taskId }) => taskId !== but);
    this.entries.unshift(...others.map((run) => ({ ...run, notified: false, parallel: true })));
    await this.advance();
  }

  private turnOf(entry: LaneEntry): Turn {
    const at = this.entries.indexOf(entry);
    const ahead = this.entries[at - 1];
    return ahead ? { kind: 'waits', behind: ahead.taskId } : { kind: 'runs' };
  }

  async leave({ taskId, runId }: Pick<LaneEntry, 'taskId' | 'runId'>): Promise<void> {
    const at = this.entries.findIndex((entry) => entry.taskId === taskId && entry.runId === runId);
    if (at < 0) return;
    this.entries.splice(at, 1);
    await this.advance();
  }

  /** Signals the first job that it may run. Skips jobs that have ended without leaving. */
  async advance(): Promise<void> {
    for (let next = this.first; next && !next.notified; next = this.first) {
      next.notified = true;
      this.checkedMs = Date.now();
      try {
        const { taskId, runId, newest } = next;
        await getExternalWorkflowHandle(taskId, runId).signal(turnSignal, newest ? { newest } : {});
      } catch {
        this.drop(next);
      }
    }
  }

  /** Drops first jobs that have ended without leaving, because they were terminated or timed out. */
  async dropDeadHolders(): Promise<void> {
    for (let first = this.first; first; first = this.first) {
      const { taskId, runId } = first;
      this.checkedMs = Date.now();
      if (await isOpen({ taskId, runId })) return;
      if (first.runId === runId) this.drop(first);
      await this.advance();
    }
  }

  private drop(entry: LaneEntry): void {
    const at = this.entries.indexOf(entry);
    if (at >= 0) this.entries.splice(at, 1);
  }
}
