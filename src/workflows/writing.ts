import { sleep } from '@temporalio/workflow';
import type { WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import type { OnReindex } from '../contract/tasks.ts';
import type { Accepted, Carried, DeleteInput, UpsertInput, WriteState } from '../contract/workflow-inputs.ts';
import { embedActivities, indexActivities, localWrites, withinTask } from './activities.ts';
import { RefusedError } from './errors.ts';
import { Forwards } from './forwards.ts';
import { runLanes } from './lanes.ts';
import type { Task } from './task.ts';

/** Up to so many items are written by a local activity, within the workflow task. */
export const SMALL = 8;
/** How long a writer held back by a cut-over waits before it tries again. */
const DRAIN_WAIT_MS = 250;
/** How soon a task that would not forward looks whether the reindex has ended: first, and after longer and longer. */
const LOCKED_WAIT_SECONDS = { first: 60, longest: 1_200 } as const;

export interface Work {
  accepted: Accepted;
  /** Kept up to date, for a run that goes on. */
  state: WriteState;
  previous: Carried | undefined;
}

/** The writing of one attempt of an `upsert` or a `delete`, in lanes side by side. */
export class Writing {
  private isDropped = false;
  private readonly task: Task;
  private readonly kind: 'upsert' | 'delete';
  private readonly input: UpsertInput & DeleteInput;
  private readonly work: Work;
  private readonly forwards: Forwards;
  /** The last few of many are written beside others: those are no work for a local activity. */
  private readonly isSmall: boolean;
  private readonly onlyFailed: boolean;
  /** Forwarded by an earlier run. */
  private readonly before: { forwarded: number; forwardFailed: number };

  constructor(task: Task, kind: 'upsert' | 'delete', input: UpsertInput & DeleteInput, work: Work) {
    this.task = task;
    this.kind = kind;
    this.input = input;
    this.work = work;
    this.isSmall = work.accepted.total <= SMALL;
    this.onlyFailed = work.previous?.onlyFailed === true;
    const { forwarded, forwardFailed } = work.state.counts;
    this.before = { forwarded, forwardFailed };
    this.forwards = new Forwards(() => this.report());
  }

  /** `isDropped`: nothing of what was staged is left. */
  async run(): Promise<{ isDropped: boolean }> {
    const { task, work, onlyFailed } = this;
    const { state } = work;
    task.report({ total: onlyFailed ? task.tracker.progress.total : work.accepted.total });
    this.report();
    try {
      const isDone = () => state.lanes.every(({ seq, toSeq }) => seq >= toSeq);
      while (!isDone()) {
        await runLanes(state.lanes.length, (at) => this.writeLane(state.lanes[at] as WriteState['lanes'][number]));
        if (!isDone()) task.continueIfLong();
      }
    } finally {
      await this.forwards.finish();
    }
    if (state.indexDue !== null && !this.isSmall) await indexActivities().buildVectorIndex(state.indexDue);
    return { isDropped: this.isDropped };
  }

  /** Ends between two chunks when the task is to go on as a new run: the other lanes do too. */
  private async writeLane(lane: WriteState['lanes'][number]): Promise<void> {
    const { task, work, onlyFailed } = this;
    const { accepted, previous } = work;
    let waitSeconds: number = LOCKED_WAIT_SECONDS.first;
    while (lane.seq < lane.toSeq && !task.isLong()) {
      await task.checkpoint();
      const result = await this.writeChunk({
        taskId: task.id,
        staging: accepted.staging,
        kind: this.kind,
        index: this.input.index,
        version: accepted.version,
        onReindex: this.policy(),
        fromSeq: lane.seq,
        toSeq: lane.toSeq,
        triedBefore: task.triedBefore || previous !== undefined,
        onlyFailed,
        isWhole: this.isSmall && !onlyFailed,
      });
      this.count(result);
      lane.seq = result.nextSeq;
      this.forwards.add(result.forwards.map((range) => ({ ...range, staging: accepted.staging })));
      await this.standBack(result, waitSeconds);
      if (result.blocked?.kind === 'locked') waitSeconds = Math.min(LOCKED_WAIT_SECONDS.longest, waitSeconds * 2);
    }
  }

  private async writeChunk(request: WriteChunkRequest): Promise<WriteChunkResult> {
    const regular = () => {
      this.task.speakUp();
      return embedActivities().writeChunk(request);
    };
    return this.isSmall ? withinTask(() => localWrites.writeChunk(request), regular) : regular();
  }

  /** A task that refuses a reindex does so before its first write; later, half done, it goes on and forwards. */
  private policy(): OnReindex {
    const { onReindex = 'forward' } = this.input;
    const { written, stale, failed } = this.work.state.counts;
    return onReindex === 'refuse' && written + stale + failed > 0 ? 'forward' : onReindex;
  }

  private count(result: WriteChunkResult): void {
    const { state } = this.work;
    const { counts } = state;
    for (const name of ['written', 'unchanged', 'stale', 'failed'] as const) counts[name] += result.counts[name];
    counts.heldBackMs += result.heldBackMs;
    this.before.forwarded += result.forwarded ?? 0;
    state.indexDue = result.vectorIndexDue ?? state.indexDue;
    this.isDropped ||= result.isDropped ?? false;
    this.report();
  }

  private report(): void {
    const { counts } = this.work.state;
    for (const name of ['forwarded', 'forwardFailed'] as const)
      counts[name] = this.before[name] + this.forwards.counts[name];
    const { written, stale, failed } = counts;
    this.task.report({ done: written + stale + failed, failed, data: { ...counts } });
  }

  /** Waits where the write was held back. */
  private async standBack({ blocked }: WriteChunkResult, waitSeconds: number): Promise<void> {
    if (blocked?.kind === 'draining') {
      const fromMs = Date.now();
      await sleep(DRAIN_WAIT_MS, { summary: 'a cut-over holds writers back' });
      this.work.state.counts.heldBackMs += Date.now() - fromMs;
    } else if (blocked?.kind === 'locked') {
      const detail = `the task ${blocked.taskId} is rebuilding the index`;
      if (this.input.onReindex === 'refuse') throw new RefusedError('index-locked', detail);
      await this.task.waitFor(detail, waitSeconds);
    }
  }
}
