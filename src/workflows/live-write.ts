import { ApplicationFailure, isCancellation, patched, sleep } from '@temporalio/workflow';
import type { ForwardRange, WriteChunkRequest, WriteChunkResult } from '../contract/activities.ts';
import type { OnReindex, Tracker } from '../contract/tasks.ts';
import type { Accepted, DeleteInput, UpsertInput } from '../contract/workflow-inputs.ts';
import {
  control,
  embedActivities,
  forwardActivities,
  indexActivities,
  localWrites,
  longControl,
  withinTask,
} from './activities.ts';
import { RefusedError } from './errors.ts';
import { runLanes } from './lanes.ts';
import type { Task } from './task.ts';
import { runTask } from './tracker.ts';

/** Up to so many items are written by a local activity, within the workflow task. */
const SMALL = 8;
/** More than these take longer to drop than a local activity may. */
const MANY = 20_000;
/** Stretches of items written at once: two of a task of more items than `LANE_ITEMS`, and more of larger ones. */
const LANES = 4;
const LANE_ITEMS = 1_000;
const WIDE_LANE_ITEMS = 2_500;
/** How long a writer held back by a cut-over waits before it tries again. */
const DRAIN_WAIT_MS = 250;
/** How soon a task that would not forward looks whether the reindex has ended: first, and after longer and longer. */
const LOCKED_WAIT_SECONDS = { first: 60, longest: 1_200 } as const;

const COUNTERS = ['written', 'unchanged', 'stale', 'failed', 'forwarded', 'forwardFailed', 'heldBackMs'] as const;
type Counts = Record<(typeof COUNTERS)[number], number>;

/** `upsert` and `delete`: writes the task's items to the index, and to the one being built from it. */
export async function writeItems(kind: 'upsert' | 'delete', input: UpsertInput & DeleteInput): Promise<Tracker> {
  const items = input.accepted?.total ?? (input.items ?? input.ids)?.length ?? 0;
  const onlyFailed = input.previous?.onlyFailed === true;
  let { accepted } = input;
  const spec = {
    type: kind,
    indexes: [input.index],
    maxAttempts: input.maxAttempts,
    previous: input.previous,
    quiet: input.accepted !== undefined && items <= SMALL,
  };
  return runTask(spec, async (task) => {
    accepted ??= await admit(task, kind, input);
    task.tracker.version = accepted.version;
    const counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts;
    const total = onlyFailed ? task.tracker.progress.total : accepted.total;
    task.report({ done: 0, total, failed: 0, data: { ...counts } });
    const isDropped = await writeAll(task, kind, input, accepted, counts);
    if (counts.failed > 0 && input.ignoreFailedItems === false) {
      throw ApplicationFailure.retryable(`${counts.failed} items failed; see the failed items`, 'TooManyFailed');
    }
    task.setDetail(describe(kind, counts));
    // Kept while items are on the failed list: they can be run again.
    const { written, unchanged, stale, failed } = counts;
    const { dropStaged } = accepted.total > MANY ? longControl : control;
    if (failed === 0 && !isDropped) await dropStaged(accepted.staging, { written, unchanged, stale, failed });
  });
}

async function admit(task: Task, type: 'upsert' | 'delete', input: UpsertInput & DeleteInput): Promise<Accepted> {
  const { previous: _previous, accepted: _accepted, ...body } = input;
  const admitted = await control.admit({ taskId: task.id, type, input: body, version: task.tracker.version });
  if (!admitted.accepted) throw ApplicationFailure.nonRetryable('nothing was accepted', 'Internal');
  return admitted.accepted;
}

/** Cuts the items into a few stretches and writes these side by side. True when nothing of what was staged is left. */
async function writeAll(
  task: Task,
  kind: 'upsert' | 'delete',
  input: UpsertInput & DeleteInput,
  accepted: Accepted,
  counts: Counts,
): Promise<boolean> {
  const onlyFailed = input.previous?.onlyFailed === true;
  const lanes = lanesOf(accepted.total);
  const size = Math.ceil(accepted.total / lanes);
  // The last few of many are written beside others: those are no work for a local activity.
  const isSmall = accepted.total <= SMALL;
  let indexDue: number | null = null;
  let isDropped = false;
  const lane = async (fromSeq: number) => {
    const toSeq = Math.min(accepted.total, fromSeq + size);
    let waitSeconds: number = LOCKED_WAIT_SECONDS.first;
    for (let seq = fromSeq; seq < toSeq; ) {
      await task.checkpoint();
      const result = await writeChunk(task, isSmall, {
        taskId: task.id,
        staging: accepted.staging,
        kind,
        index: input.index,
        version: accepted.version,
        onReindex: policyOf(input.onReindex, counts),
        fromSeq: seq,
        toSeq,
        triedBefore: task.triedBefore || input.previous !== undefined,
        onlyFailed,
        isWhole: accepted.total <= SMALL && !onlyFailed,
      });
      count(task, counts, result);
      indexDue = result.vectorIndexDue ?? indexDue;
      isDropped ||= result.isDropped ?? false;
      await Promise.all(result.forwards.map((range) => forward(task, counts, { ...range, staging: accepted.staging })));
      seq = result.nextSeq;
      await standBack(task, counts, result, input.onReindex, waitSeconds);
      if (result.blocked?.kind === 'locked') waitSeconds = Math.min(LOCKED_WAIT_SECONDS.longest, waitSeconds * 2);
    }
  };
  await runLanes(lanes, (at) => lane(at * size));
  if (indexDue !== null && !isSmall) await indexActivities().buildVectorIndex(indexDue);
  return isDropped;
}

function lanesOf(items: number): number {
  if (items <= LANE_ITEMS) return 1;
  const lanes = patched('wider-lanes')
    ? Math.max(2, Math.ceil(items / WIDE_LANE_ITEMS))
    : Math.ceil(items / LANE_ITEMS);
  return Math.min(LANES, lanes);
}

/** A task that refuses a reindex does so before its first write; later, half done, it goes on and forwards. */
function policyOf(onReindex: OnReindex = 'forward', counts: Counts): OnReindex {
  return onReindex === 'refuse' && counts.written + counts.stale + counts.failed > 0 ? 'forward' : onReindex;
}

async function writeChunk(task: Task, isSmall: boolean, request: WriteChunkRequest): Promise<WriteChunkResult> {
  const regular = () => {
    task.speakUp();
    return embedActivities().writeChunk(request);
  };
  return isSmall ? withinTask(() => localWrites.writeChunk(request), regular) : regular();
}

function count(task: Task, counts: Counts, result: WriteChunkResult): void {
  for (const [name, value] of Object.entries(result.counts)) counts[name as keyof Counts] += value;
  counts.heldBackMs += result.heldBackMs;
  counts.forwarded += result.forwarded ?? 0;
  task.report({
    done: counts.written + counts.stale + counts.failed,
    failed: counts.failed,
    data: { ...counts },
  });
}

/** Also to the index being built. A failure does not fail the task: the reindex brings what is behind anyway. */
async function forward(task: Task, counts: Counts, range: ForwardRange & { staging: string }): Promise<void> {
  try {
    const { forwarded } = await forwardActivities().forwardChunk(range);
    counts.forwarded += forwarded;
  } catch (error) {
    if (isCancellation(error)) throw error;
    counts.forwardFailed += range.toSeq - range.fromSeq;
  }
  task.report({ data: { ...counts } });
}

/** Waits where the write was held back. */
async function standBack(
  task: Task,
  counts: Counts,
  result: WriteChunkResult,
  onReindex: OnReindex | undefined,
  waitSeconds: number,
): Promise<void> {
  if (result.blocked?.kind === 'draining') {
    const fromMs = Date.now();
    await sleep(DRAIN_WAIT_MS, { summary: 'a cut-over holds writers back' });
    counts.heldBackMs += Date.now() - fromMs;
  } else if (result.blocked?.kind === 'locked') {
    const detail = `the task ${result.blocked.taskId} is rebuilding the index`;
    if (onReindex === 'refuse') throw new RefusedError('index-locked', detail);
    await task.waitFor(detail, waitSeconds);
  }
}

function describe(kind: 'upsert' | 'delete', counts: Counts): string {
  const parts = [`${counts.written} ${kind === 'upsert' ? 'written' : 'deleted'}`];
  if (counts.unchanged > 0) parts.push(`${counts.unchanged} of them unchanged`);
  if (counts.stale > 0) parts.push(`${counts.stale} stale (a newer version is stored)`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed (see the failed items)`);
  if (counts.forwarded > 0) parts.push(`${counts.forwarded} forwarded to the index being built`);
  if (counts.forwardFailed > 0) parts.push(`${counts.forwardFailed} left to the reindex`);
  if (counts.heldBackMs > 0) parts.push(`held back for ${counts.heldBackMs} ms by a cut-over`);
  return parts.join(', ');
}
