import { sleep } from '@temporalio/workflow';
import type { WriteChunkRequest, WriteChunkResult } from '../../contract/activities.ts';
import type { Accepted, Carried, WriteState } from '../../contract/hand-over.ts';
import type { OnReindex } from '../../contract/task-bodies.ts';
import type { DeleteInput, UpsertInput } from '../../contract/workflow-inputs.ts';
import { embedActivities, indexActivities, localWrites, withinTask } from '../activities.ts';
import { runInParallel } from '../in-parallel.ts';
import { RefusedError } from '../task/errors.ts';
import type { TaskContext } from '../task/types.ts';
import { Forwards } from './forwards.ts';
import { SIZES } from './sizes.ts';

/** Retry interval of a writer that a cut-over blocks. */
const DRAIN_WAIT_MS = 250;
/** Interval in which a task that waits for a reindex to end checks again: doubles from `first` to `max`. */
const LOCKED_WAIT_SECONDS = { first: 60, max: 1_200 } as const;

export interface Work {
  accepted: Accepted;
  /** Kept up to date for the next run. */
  state: WriteState;
  previous: Carried | undefined;
}

/** Writes the items of one attempt of an `upsert` or `delete`, in parallel lanes. */
export class Writing {
  private isDropped = false;
  private readonly task: TaskContext;
  private readonly kind: 'upsert' | 'delete';
  private readonly input: UpsertInput & DeleteInput;
  private readonly work: Work;
  private readonly forwards: Forwards;
  /** Only a small task uses local activities: the last few items of a large one are written in parallel with others. */
  private readonly isSmall: boolean;
  private readonly onlyFailed: boolean;
  /** Counts of an earlier run. */
  private readonly before: { forwarded: number; forwardFailed: number };

  constructor(task: TaskContext, kind: 'upsert' | 'delete', input: UpsertInput & DeleteInput, work: Work) {
    this.task = task;
    this.kind = kind;
    this.input = input;
    this.work = work;
    this.isSmall = work.accepted.total <= SIZES.local;
    this.onlyFailed = work.previous?.onlyFailed === true;
    const { forwarded, forwardFailed } = work.state.counts;
    this.before = { forwarded, forwardFailed };
    this.forwards = new Forwards(() => this.report());
  }

  /** Writes all items. `isDropped`: the staged items are already gone. */
  async run(): Promise<{ isDropped: boolean }> {
    const { task, work, onlyFailed } = this;
    const { state } = work;
    task.report({ total: onlyFailed ? task.tracker.progress.total : work.accepted.total });
    this.report();
    try {
      const isDone = () => state.lanes.every(({ seq, toSeq }) => seq >= toSeq);
      while (!isDone()) {
        await runInParallel(state.lanes.length, (at) => this.writeLane(state.lanes[at] as WriteState['lanes'][number]));
        if (!isDone()) task.continueIfLong();
      }
    } finally {
      await this.forwards.finish();
    }
    if (state.indexDue !== null && !this.isSmall) await indexActivities().buildVectorIndex(state.indexDue);
    return { isDropped: this.isDropped };
  }

  /** Writes one lane. Stops between two chunks, like the other lanes, if the task must continue as a new run. */
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
        indexNo: accepted.indexNo,
        version: accepted.version,
        onReindex: this.policy(),
        fromSeq: lane.seq,
        toSeq: lane.toSeq,
        triedBefore: task.triedBefore || previous !== undefined,
        onlyFailed,
        isWhole: this.isSmall && !onlyFailed,
        by: accepted.by,
      });
      this.count(result);
      lane.seq = result.nextSeq;
      this.forwards.add(result.forwards.map((range) => ({ ...range, staging: accepted.staging })));
      await this.waitIfBlocked(result, waitSeconds);
      if (result.blocked?.kind === 'locked') waitSeconds = Math.min(LOCKED_WAIT_SECONDS.max, waitSeconds * 2);
    }
  }

  private async writeChunk(request: WriteChunkRequest): Promise<WriteChunkResult> {
    const regular = () => {
      this.task.publishNow();
      return embedActivities().writeChunk(request);
    };
    return this.isSmall ? withinTask(() => localWrites.writeChunk(request), regular) : regular();
  }

  /** A task with `refuse` is refused only before its first write; later, half done, it forwards. */
  private policy(): OnReindex {
    const { onReindex = 'forward' } = this.input;
    const { written, stale, failed } = this.work.state.counts;
    return onReindex === 'refuse' && written + stale + failed > 0 ? 'forward' : onReindex;
  }

  private count(result: WriteChunkResult): void {
    const { state } = this.work;
    const { counts } = state;
    for (const name of ['written', 'unchanged', 'stale', 'failed'] as const) counts[name] += result.counts[name];
    if (result.counts.reused) counts.reused = (counts.reused ?? 0) + result.counts.reused;
    if (result.counts.truncated) counts.truncated = (counts.truncated ?? 0) + result.counts.truncated;
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

  /** Waits if the write was blocked by a reindex. */
  private async waitIfBlocked({ blocked }: WriteChunkResult, waitSeconds: number): Promise<void> {
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
