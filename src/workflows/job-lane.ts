import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { LIMITS } from '../contract/limits.ts';
import type { LaneAnswer, LaneEntry, LaneHandOver, LaneInput, LaneRequest, Turn } from '../contract/workflow-inputs.ts';
import { HAND_OVER_VERSION } from '../contract/workflow-inputs.ts';
import { laneControl } from './activities.ts';
import { receiveEntries } from './receive.ts';
import { anyRecord, asSentence, atLeast, oneOf, text } from './shapes.ts';
import { enterUpdate, leaveSignal, turnSignal } from './signals.ts';

/** Its last job has ended: another may follow soon. */
const LINGER_MS = 2_000;
/** How soon the lane looks whether the job whose turn it is still runs: first, and more and more seldom. */
const LOOK_MS = { first: 30_000, most: 600_000 } as const;
/** Before a submission is turned away, the look must not be older than this. */
const FRESH_MS = 10_000;

/**
 * Decides between the jobs of one name and key: which may run, which wait for their turn and which are ignored. One
 * workflow decides one submission after the other, so it is exact whoever sends and whatever dies. It starts the jobs
 * itself, by an activity: as children they would copy all their results into its history.
 */
export async function jobLane(input: LaneInput, given?: LaneHandOver): Promise<void> {
  const lane = new Lane(receiveEntries(given));
  setHandler(enterUpdate, (request) => lane.enter(request), { validator: requireRequest });
  setHandler(leaveSignal, (left) => lane.leave(left ?? { taskId: '', runId: '' }));
  await lane.advance();
  let lookMs: number = LOOK_MS.first;
  let looked: LaneEntry | undefined;
  for (;;) {
    if (lane.isIdle) {
      await condition(() => !lane.isIdle, LINGER_MS);
      if (lane.isIdle) return;
    }
    const first = lane.first;
    if (first !== looked) lookMs = LOOK_MS.first;
    looked = first;
    const moved = await condition(() => lane.isIdle || lane.first !== first || lane.isFull, lookMs);
    if (lane.isFull) {
      await condition(allHandlersFinished);
      const { runId: from } = workflowInfo();
      await continueAsNew<typeof jobLane>(input, { v: HAND_OVER_VERSION, from, entries: lane.entries });
    }
    if (moved) continue;
    await lane.look();
    lookMs = Math.min(LOOK_MS.most, lookMs * 2);
  }
}

/** Anyone can send an update: what is no request is refused before it is accepted. */
function requireRequest(request: LaneRequest | undefined): void {
  const problem = LANE_REQUEST(request);
  if (problem !== undefined)
    throw ApplicationFailure.nonRetryable(`the request ${asSentence(problem)}`, 'InvalidInput');
}

const LANE_REQUEST = atLeast({
  taskId: text(LIMITS.taskIdChars),
  onDuplicate: oneOf('discard', 'serial', 'queue_one'),
  job: anyRecord,
});

class Lane {
  /** The first one has its turn, the others wait for theirs. */
  readonly entries: LaneEntry[];
  private lookedMs = 0;
  /** Decisions are made one after the other, in the order in which they were asked for. */
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

  /** Its history has grown, or the server will soon take no more updates in this run: it is to go on as a new one. */
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
      // A new run of it keeps its place: the old one has ended.
      there.runId = request.runId ?? there.runId;
      return this.turnOf(there);
    }
    if (this.first && Date.now() - this.lookedMs > FRESH_MS) await this.look();
    if (!this.first) await this.findParallel(taskId);
    const [first, ...others] = this.entries;
    const waiting = others.filter(({ parallel }) => !parallel);
    if (first && onDuplicate === 'discard') return { kind: 'ignored', standsFor: first.taskId };
    const next = waiting.at(-1);
    if (next && onDuplicate === 'queue_one') {
      if (newest) next.newest = { input: request.job.input };
      return { kind: 'ignored', standsFor: next.taskId };
    }
    return this.accept(request);
  }

  private async accept({ taskId, runId: given, job, plan, inputHash }: LaneRequest): Promise<LaneAnswer> {
    const ahead = this.entries.at(-1);
    const turn: Turn = ahead ? { kind: 'waits', behind: ahead.taskId } : { kind: 'runs' };
    const runId = given ?? (await laneControl.startJob({ taskId, job, plan, turn, inputHash }));
    if (runId === null) return { kind: 'exists' };
    this.entries.push({ taskId, runId, told: turn.kind === 'runs' });
    // The one ahead of it may have ended meanwhile.
    await this.advance();
    return turn;
  }

  /** Jobs that were sent as parallel do not ask here: those that run are put first, and leave like any other. */
  private async findParallel(but: string): Promise<void> {
    const found = await laneControl.parallelJobs(workflowInfo().workflowId);
    const others = found.filter(({ taskId }) => taskId !== but);
    this.entries.unshift(...others.map((run) => ({ ...run, told: false, parallel: true })));
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

  /** Tells the first one that its turn has come. One that has ended without leaving is passed over. */
  async advance(): Promise<void> {
    for (let next = this.first; next && !next.told; next = this.first) {
      next.told = true;
      this.lookedMs = Date.now();
      try {
        const { taskId, runId, newest } = next;
        await getExternalWorkflowHandle(taskId, runId).signal(turnSignal, newest ? { newest } : {});
      } catch {
        this.drop(next);
      }
    }
  }

  /** A job that was terminated, or timed out, cannot leave: it is dropped when it is found to have ended. */
  async look(): Promise<void> {
    for (let first = this.first; first; first = this.first) {
      const { taskId, runId } = first;
      this.lookedMs = Date.now();
      if (await laneControl.isJobOpen({ taskId, runId })) return;
      if (first.runId === runId) this.drop(first);
      await this.advance();
    }
  }

  private drop(entry: LaneEntry): void {
    const at = this.entries.indexOf(entry);
    if (at >= 0) this.entries.splice(at, 1);
  }
}
